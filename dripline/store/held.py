"""What waits for a person: held and uncertain messages, runs that stopped. Listed, and answered.

Whoever answers has seen a list that may be old by now: each answer looks again under the lead's lock, and
leaves alone what has been settled, or has become another question, in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from dripline.clock import HouseClock
from dripline.store.database import lock_lead, lock_run
from dripline.store.messages import decide, lock_message, requeue
from dripline.store.runs import note
from dripline.store.schema import Utc, house, inbox, journeys, leads, messages, runs
from dripline.store.wakes import want_wake

STATES = ("held", "uncertain", "parked")
"""Messages are held or uncertain; runs are parked."""


@dataclass(frozen=True)
class Wanted:
    """Which of them; what is None or empty does not matter."""

    states: tuple[str, ...] = STATES
    journey: str | None = None
    lead_id: str | None = None
    reason: str | None = None
    """Part of the reason, in any case of letters."""
    ids: tuple[str, ...] = ()
    """Beginnings of ids."""


@dataclass(frozen=True)
class Held:
    """One message or run that waits for a person. `since` is house time."""

    id: str
    state: str
    journey: str
    step: str | None
    lead_id: str
    lead: str
    reason: str
    since: datetime
    what: str
    """Channel and template of a message; `run` for a run."""
    may_double: bool
    """Whether it may have left already, so that letting it go may send something twice."""

    @property
    def is_run(self) -> bool:
        """Whether this is a run rather than a message."""
        return self.state == "parked"


def list_held(
    connection: Connection, clock: HouseClock, wanted: Wanted, limit: int | None = None
) -> list[Held]:
    """What waits for a person, the longest waiting first."""
    parts = [_messages(wanted)] if {"held", "uncertain"} & set(wanted.states) else []
    if "parked" in wanted.states:
        parts.append(_runs(wanted))
    if not parts:
        return []
    found = union_all(*parts).subquery()
    query = select(found).order_by(found.c.since, found.c.id).limit(limit)
    return [
        Held(
            id=row.id,
            state=row.state,
            journey=row.journey,
            step=row.step,
            lead_id=row.lead_id,
            lead=row.email or row.phone or row.external_id or row.lead_id,
            reason=row.reason or "no reason was noted",
            since=clock.to_house(row.since) if row.state == "uncertain" else row.since,
            what=row.what,
            may_double=bool(row.may_double),
        )
        for row in connection.execute(query)
    ]


def count_held(connection: Connection) -> dict[str, int]:
    """How many wait in each state; 0 for none."""
    query = select(messages.c.state, func.count().label("number")).where(
        messages.c.state.in_(("held", "uncertain"))
    )
    counts = dict.fromkeys(STATES, 0)
    counts |= {row.state: row.number for row in connection.execute(query.group_by(messages.c.state))}
    parked = select(func.count()).where(runs.c.ended_at.is_(None), runs.c.parked_reason.is_not(None))
    counts["parked"] = connection.execute(parked).scalar_one()
    return counts


def count_reason(connection: Connection, reason: str, journey: str | None = None) -> int:
    """How many messages (of a journey) are held for exactly that reason."""
    query = select(func.count()).where(messages.c.state == "held", messages.c.reason == reason)
    if journey is not None:
        query = query.where(messages.c.journey == journey)
    return connection.execute(query).scalar_one()


def braked(connection: Connection) -> tuple[bool, frozenset[str]]:
    """Whether everything is stopped, and which journeys are paused: what is sent there is held again."""
    stopped = connection.execute(select(house.c.stopped_at)).scalar_one_or_none() is not None
    paused = connection.execute(select(journeys.c.id).where(journeys.c.paused_at.is_not(None))).scalars()
    return stopped, frozenset(paused)


def send_held(
    connection: Connection, chosen: Sequence[Held], at: datetime, machine_now: datetime, by: str | None
) -> set[str]:
    """Queue these messages again, and let these runs try again; the ids of those for which it was done.

    Locks their leads first, in the order of their ids. What may have left already is only done where `chosen`
    says so (`may_double`): it may be so since the list was made.
    """
    _lock_leads(connection, chosen)
    done = set()
    for one in chosen:
        if one.is_run:
            if retry(connection, one.id, at, machine_now, by):
                done.add(one.id)
            continue
        row = lock_message(connection, one.id)
        if row is None or row.state not in ("held", "uncertain"):
            continue
        if _has_left(row) and not one.may_double:
            continue
        requeue(connection, row.id, machine_now)
        _want(connection, row.run_id, machine_now)
        detail = {"message": row.id, "template": row.template, "by": by, "was": row.state}
        note(connection, row.run_id, 0, at, row.step, "released", detail)
        done.add(row.id)
    return done


def skip_held(
    connection: Connection,
    chosen: Sequence[Held],
    at: datetime,
    machine_now: datetime,
    by: str | None,
    why: str,
) -> set[str]:
    """Never send these messages, and end these runs where they stand; the ids of those for which it was done."""
    _lock_leads(connection, chosen)
    done = set()
    for one in chosen:
        if one.is_run:
            if _end(connection, one.id, at, machine_now, by, why):
                done.add(one.id)
            continue
        row = lock_message(connection, one.id)
        if row is None or row.state not in ("held", "uncertain"):
            continue
        decide(connection, row.id, machine_now, why, skipped_at=at)
        detail = {"message": row.id, "template": row.template, "reason": why, "by": by}
        note(connection, row.run_id, 0, at, row.step, "skipped", detail)
        done.add(row.id)
    return done


def retry(connection: Connection, run_id: str, at: datetime, machine_now: datetime, by: str | None) -> bool:
    """Let a parked run try again by its next turn; False where it is not parked any more. Lock its lead first."""
    run = lock_run(connection, run_id)
    if run is None or run.ended_at is not None or run.parked_reason is None:
        return False
    # A workflow that has just been started again only takes a turn where something waits in the inbox.
    connection.execute(
        insert(inbox).values(
            run_id=run_id, kind="operator", event_id=None, payload={"ask": "retry"}, received_at=at
        )
    )
    connection.execute(update(runs).where(runs.c.id == run_id).values(held_at=None))
    _want(connection, run_id, machine_now)
    note(connection, run_id, run.turn, at, run.step, "retried", {"by": by})
    return True


def _end(
    connection: Connection, run_id: str, at: datetime, machine_now: datetime, by: str | None, why: str
) -> bool:
    run = lock_run(connection, run_id)
    if run is None or run.ended_at is not None or run.parked_reason is None:
        return False
    at = max(at, run.last_at)
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(ended_at=at, last_at=at, outcome="operator", outcome_reason=why, held_at=None, until=None)
    )
    note(
        connection, run_id, run.turn, at, run.step, "ended", {"outcome": "operator", "reason": why, "by": by}
    )
    _want(connection, run_id, machine_now)  # its workflow ends
    return True


def _want(connection: Connection, run_id: str, machine_now: datetime) -> None:
    """Have the run woken. We hold its lead's lock, so that only a waker or a sweep may hold the run's: wait for it."""
    lock_run(connection, run_id)
    want_wake(connection, [run_id], machine_now)


def _lock_leads(connection: Connection, chosen: Sequence[Held]) -> None:
    for lead_id in sorted({one.lead_id for one in chosen}):
        lock_lead(connection, lead_id)


def _has_left(row: Any) -> bool:
    """Whether an attempt was begun whose end nobody knows."""
    return row.uncertain_at is not None or row.attempt_id is not None


def _messages(wanted: Wanted) -> Select[Any]:
    table = messages
    query = (
        select(
            table.c.id,
            table.c.state,
            table.c.journey,
            table.c.step,
            table.c.lead_id,
            leads.c.email,
            leads.c.phone,
            leads.c.external_id,
            table.c.reason,
            case((table.c.state == "held", table.c.held_at), else_=table.c.uncertain_at).label("since"),
            (table.c.channel + " " + table.c.template).label("what"),
            or_(table.c.uncertain_at.is_not(None), table.c.attempt_id.is_not(None)).label("may_double"),
        )
        .join(leads, leads.c.id == table.c.lead_id)
        .where(table.c.state.in_([state for state in wanted.states if state != "parked"]))
    )
    return query.where(*_narrowed(wanted, table.c.id, table.c.journey, table.c.lead_id, table.c.reason))


def _runs(wanted: Wanted) -> Select[Any]:
    table = runs
    query = (
        select(
            table.c.id,
            cast(literal("parked"), String).label("state"),
            table.c.journey,
            table.c.step,
            table.c.lead_id,
            leads.c.email,
            leads.c.phone,
            leads.c.external_id,
            table.c.parked_reason.label("reason"),
            func.coalesce(table.c.held_at, table.c.last_at, type_=Utc()).label("since"),
            cast(literal("run"), String).label("what"),
            table.c.held_at.is_not(None).label(
                "may_double"
            ),  # after a restore: its turns may have been taken
        )
        .join(leads, leads.c.id == table.c.lead_id)
        .where(table.c.ended_at.is_(None), table.c.parked_reason.is_not(None))
    )
    return query.where(
        *_narrowed(wanted, table.c.id, table.c.journey, table.c.lead_id, table.c.parked_reason)
    )


def _narrowed(
    wanted: Wanted,
    by_id: ColumnElement[Any],
    journey: ColumnElement[Any],
    lead_id: ColumnElement[Any],
    reason: ColumnElement[Any],
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.journey is not None:
        conditions.append(journey == wanted.journey)
    if wanted.lead_id is not None:
        conditions.append(lead_id == wanted.lead_id)
    if wanted.reason is not None:
        conditions.append(reason.icontains(wanted.reason, autoescape=True))
    if wanted.ids:
        conditions.append(or_(*(by_id.startswith(one, autoescape=True) for one in wanted.ids)))
    return conditions


__all__ = [
    "STATES",
    "Held",
    "Wanted",
    "braked",
    "count_held",
    "count_reason",
    "list_held",
    "retry",
    "send_held",
    "skip_held",
]
