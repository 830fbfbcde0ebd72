"""Runs: read for a turn, written after it. The row is the truth of where a lead is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from dripline.engine.effects import Event, Outcome, RunState, TurnEnd, Wait
from dripline.store.schema import events, inbox, runs, step_log, suppressions

EVENT_COLUMNS = (events.c.id, events.c.name, events.c.properties, events.c.received_at)

# Built once: building a statement costs three times as much as executing it.
_EVENT = select(*EVENT_COLUMNS).where(events.c.id == bindparam("event"))
_INBOX = (
    select(*EVENT_COLUMNS)
    .join(inbox, inbox.c.event_id == events.c.id)
    .where(inbox.c.run_id == bindparam("run"), inbox.c.taken_in.is_(None))
    .order_by(events.c.received_at, inbox.c.seq)
)
_MAIL = select(inbox.c.seq).where(inbox.c.run_id == bindparam("run"), inbox.c.taken_in.is_(None)).limit(1)
_FOUND = (
    select(*EVENT_COLUMNS)
    .where(
        events.c.lead_id == bindparam("lead"),
        events.c.name.in_(bindparam("names", expanding=True)),
        events.c.received_at > bindparam("after"),
        events.c.historical.is_(False),
    )
    .order_by(events.c.received_at, events.c.seq)
)
_SUPPRESSION = select(suppressions.c.reason).where(
    suppressions.c.channel == bindparam("channel"), suppressions.c.address_hash == bindparam("hash")
)
_SAVE = update(runs).where(runs.c.id == bindparam("run")).returning(runs)
_TAKEN = (
    update(inbox)
    .where(inbox.c.run_id == bindparam("run"), inbox.c.event_id.in_(bindparam("taken", expanding=True)))
    .values(taken_in=bindparam("turn"))
)
_NOTE = insert(step_log)
_RIVALS = (
    select(runs)
    .where(
        runs.c.lead_id == bindparam("lead"),
        runs.c.priority > bindparam("than"),
        runs.c.ended_at.is_(None),
        runs.c.parked_reason.is_(None),
        runs.c.held_at.is_(None),
    )
    .order_by(runs.c.priority.desc(), runs.c.id)
    .limit(10)
    .with_for_update()
)


def to_event(row: Any) -> Event:
    """An event's row as the engine takes it."""
    return Event(row.id, row.name, row.properties, row.received_at)


def load_event(connection: Connection, event_id: str | None) -> Event | None:
    """The event of that id, if any."""
    if event_id is None:
        return None
    row = connection.execute(_EVENT, {"event": event_id}).one_or_none()
    return to_event(row) if row else None


def find_runs(connection: Connection, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """The rows of these runs, without a lock."""
    return connection.execute(select(runs).where(runs.c.id.in_(ids))).all()


def load_state(connection: Connection, run: Row[Any]) -> RunState:
    """A run's row as the engine takes it."""
    trigger = load_event(connection, run.trigger_event)
    last = trigger if run.last_event == run.trigger_event else load_event(connection, run.last_event)
    return _state(run, trigger, last)


def load_states(connection: Connection, rows: Sequence[Row[Any]]) -> list[RunState]:
    """Many runs' rows as the engine takes them, their events read at once."""
    ids = {event for run in rows for event in (run.trigger_event, run.last_event) if event is not None}
    query = select(*EVENT_COLUMNS).where(events.c.id.in_(ids))
    known = {row.id: to_event(row) for row in connection.execute(query)}
    return [_state(run, known.get(run.trigger_event), known.get(run.last_event)) for run in rows]


def _state(run: Row[Any], trigger: Event | None, last_event: Event | None) -> RunState:
    wait = None
    if run.wait:
        wait = Wait(datetime.fromisoformat(run.wait["began"]), run.until, run.wait.get("held"))
    return RunState(
        id=run.id,
        step=run.step,
        wait=wait,
        variables=run.variables,
        visits=run.visits,
        trigger=trigger,
        last_event=last_event,
        last_message_at=run.last_message_at,
        started_at=run.started_at,
        last_at=run.last_at,
        holdout=run.holdout,
        loops=run.loops,
        accepted=tuple(run.accepted),
    )


def load_inbox(connection: Connection, run_id: str) -> list[Event]:
    """The events that wait to be looked at by the run, in the order in which they came."""
    return [to_event(row) for row in connection.execute(_INBOX, {"run": run_id})]


def has_mail(connection: Connection, run_id: str) -> bool:
    """Whether anything waits to be looked at by the run."""
    return connection.execute(_MAIL, {"run": run_id}).one_or_none() is not None


def lock_rivals(connection: Connection, run: Row[Any], now: datetime) -> list[Row[Any]]:
    """The lead's other open runs of higher priority whose turn is due at the very instant of this one's.

    Highest first, ten at most, each locked. Lock the lead first. Runs that may become due later are none of them.
    """
    rivals = connection.execute(_RIVALS, {"lead": run.lead_id, "than": run.priority}).all()
    instant = _due_at(connection, run) if rivals else None
    if instant is None or instant > now:
        return []
    return [rival for rival in rivals if _due_at(connection, rival) == instant]


def _due_at(connection: Connection, run: Row[Any]) -> datetime | None:
    """When a run has something to do next: what waits in its inbox, its wait's end, or its beginning."""
    mail = select(func.min(inbox.c.received_at)).where(inbox.c.run_id == run.id, inbox.c.taken_in.is_(None))
    moments = [connection.execute(mail).scalar_one(), run.until, run.last_at if run.turn == 0 else None]
    return min((moment for moment in moments if moment is not None), default=None)


def find_events(connection: Connection, lead_id: str, names: tuple[str, ...], after: datetime) -> list[Event]:
    """A lead's events of these names received after `after`, oldest first; imported history left out."""
    found = connection.execute(_FOUND, {"lead": lead_id, "names": names, "after": after})
    return [to_event(row) for row in found]


def suppression(connection: Connection, channel: str, address_hash: str) -> str | None:
    """Why that address is not to be written to, or None."""
    asked = {"channel": channel, "hash": address_hash}
    return connection.execute(_SUPPRESSION, asked).scalar_one_or_none()


def save_turn(connection: Connection, run: Row[Any], end: TurnEnd, inbox_seen: Sequence[Event]) -> Row[Any]:
    """Write what a turn came to; the row as it is then. The turn number moves on even if nothing else did."""
    state = end.state
    values: dict[str, Any] = {
        "turn": run.turn + 1,
        "step": state.step,
        "wait": {"began": state.wait.began.isoformat(), "held": state.wait.held} if state.wait else None,
        "until": state.wait.until if state.wait else None,
        "holdout": state.holdout,
        "variables": dict(state.variables),
        "loops": dict(state.loops),
        "visits": dict(state.visits),
        "accepted": list(state.accepted),
        "last_event": state.last_event.id if state.last_event else None,
        "last_message_at": state.last_message_at,
        "last_at": state.last_at,
        "parked_reason": end.parked,
        "wake_done": run.wake_wanted,  # whatever it was to be woken for, this turn has looked at it
    }
    if end.outcome:
        values |= ended(end.outcome, state.last_at)
    saved = connection.execute(_SAVE, {"run": run.id, **values}).one()
    taken = [event.id for event in inbox_seen if event.id not in end.left]
    if taken:
        connection.execute(_TAKEN, {"run": run.id, "taken": taken, "turn": run.turn + 1})
    if run.parked_reason is not None:  # to try again is all that a person asks, and this turn was it
        connection.execute(
            update(inbox)
            .where(inbox.c.run_id == run.id, inbox.c.kind == "operator", inbox.c.taken_in.is_(None))
            .values(taken_in=run.turn + 1)
        )
    return saved


def ended(outcome: Outcome, at: datetime) -> dict[str, Any]:
    """The columns of a run that ended."""
    return {"ended_at": at, "outcome": outcome.kind, "outcome_reason": outcome.reason}


def note(
    connection: Connection,
    run_id: str,
    turn: int,
    at: datetime,
    step: str | None,
    what: str,
    detail: Mapping[str, Any],
) -> None:
    """Add a line to the story of a run."""
    note_all(connection, [line_of(run_id, turn, at, step, what, detail)])


def note_all(connection: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add lines, made by `line_of`, to the stories of runs, in this order."""
    if lines:
        connection.execute(_NOTE, lines)


def line_of(
    run_id: str, turn: int, at: datetime, step: str | None, what: str, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """A line of a run's story, for `note_all`."""
    return {"run_id": run_id, "turn": turn, "at": at, "step": step, "what": what, "detail": dict(detail)}


def record_goal(connection: Connection, run_id: str, at: datetime, value: float | None) -> None:
    """The run converted; the first time counts."""
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.converted_at.is_(None))
        .values(converted_at=at, goal_value=value)
    )
