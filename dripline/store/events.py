"""Events, each kept once by its id, and the inboxes of the runs that listen for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dripline.store.schema import Utc, events, inbox, runs

# Built once: building a statement costs three times as much as executing it.
_KEEP = {
    "sqlite": sqlite.insert(events).on_conflict_do_nothing(index_elements=["id"]).returning(events.c.id),
    "postgresql": postgresql.insert(events)
    .on_conflict_do_nothing(index_elements=["id"])
    .returning(events.c.id),
}
_KEPT = select(events).where(events.c.id == bindparam("event"))
_NEWEST = select(
    select(func.max(events.c.received_at))
    .where(events.c.lead_id == bindparam("lead"), events.c.historical.is_(False))
    .scalar_subquery()
    .label("event"),
    select(func.max(runs.c.last_at))
    .where(runs.c.lead_id == bindparam("lead"))
    .scalar_subquery()
    .label("run"),
)
_LATEST = select(events.c.received_at, events.c.depth).order_by(events.c.seq.desc()).limit(20).subquery()
_LATEST_FROM_OUTSIDE = select(func.max(_LATEST.c.received_at)).where(_LATEST.c.depth == 0)
_OPEN = (
    select(runs.c.id, runs.c.lead_id, runs.c.plan_hash, runs.c.step)
    .where(runs.c.lead_id.in_(bindparam("leads", expanding=True)), runs.c.ended_at.is_(None))
    .order_by(runs.c.id)
)
_INTO = insert(inbox)
_NOW = bindparam("now", type_=Utc())
_WAKE = (
    update(runs)
    .where(runs.c.id.in_(bindparam("runs", expanding=True)))
    .values(
        wake_wanted=runs.c.wake_wanted + 1,
        wake_wanted_at=case(
            (runs.c.wake_wanted > runs.c.wake_done, func.coalesce(runs.c.wake_wanted_at, _NOW)), else_=_NOW
        ),
    )
)
_ORDER_OF_EVENTS = (
    select(events.c.lead_id, func.max(events.c.received_at).label("at"))
    .where(events.c.lead_id.in_(bindparam("leads", expanding=True)), events.c.historical.is_(False))
    .group_by(events.c.lead_id)
)
_ORDER_OF_RUNS = (
    select(runs.c.lead_id, func.max(runs.c.last_at).label("at"))
    .where(runs.c.lead_id.in_(bindparam("leads", expanding=True)))
    .group_by(runs.c.lead_id)
)


@dataclass(frozen=True)
class Event:
    """Something that happened to a lead. `received_at` is house time; `depth` counts the runs before it."""

    id: str
    lead_id: str
    name: str
    properties: Mapping[str, Any]
    received_at: datetime
    occurred_at: datetime | None = None
    historical: bool = False
    depth: int = 0


def keep(connection: Connection, event: Event) -> bool:
    """Insert the event unless its id is known; whether it was new."""
    return bool(keep_all(connection, [event]))


def keep_all(connection: Connection, wanted: Sequence[Event]) -> set[str]:
    """Insert the events whose ids are not known; the ids of those that were new."""
    rows = [
        {
            "id": event.id,
            "lead_id": event.lead_id,
            "name": event.name,
            "properties": dict(event.properties),
            "received_at": event.received_at,
            "occurred_at": event.occurred_at,
            "historical": event.historical,
            "depth": event.depth,
        }
        for event in wanted
    ]
    return set(connection.execute(_KEEP[connection.dialect.name], rows).scalars()) if rows else set()


def kept(connection: Connection, event_id: str) -> Row[Any] | None:
    """The event of that id, or None."""
    return connection.execute(_KEPT, {"event": event_id}).one_or_none()


def count_events(connection: Connection, lead_id: str, name: str, since: datetime) -> int:
    """How often it happened to the lead since then, what is historical left out."""
    query = select(func.count()).where(
        events.c.lead_id == lead_id,
        events.c.name == name,
        events.c.received_at > since,
        events.c.historical.is_(False),
    )
    return connection.execute(query).scalar_one()


def has_event(connection: Connection, lead_id: str, name: str) -> bool:
    """Whether an event of that name was ever recorded of the lead."""
    query = select(events.c.id).where(events.c.lead_id == lead_id, events.c.name == name).limit(1)
    return connection.execute(query).one_or_none() is not None


def happened(
    connection: Connection, leads: Collection[str], names: Collection[str], after: datetime
) -> list[tuple[str, Mapping[str, Any]]]:
    """The names and properties of what happened to these leads after a moment (house time)."""
    query = select(events.c.name, events.c.properties).where(
        events.c.lead_id.in_(leads), events.c.name.in_(names), events.c.received_at > after
    )
    return [(row.name, row.properties) for row in connection.execute(query)]


def latest_from_outside(connection: Connection) -> datetime | None:
    """When something came in last that no run has caused; None where that was long ago, or never."""
    latest: datetime | None = connection.execute(_LATEST_FROM_OUTSIDE).scalar_one()
    return latest


def in_order(connection: Connection, lead_id: str, now: datetime) -> datetime:
    """`now`, or just after the newest thing that its runs have seen: a lead's own time never goes back.

    So an event that follows a message counts as after it, even where two machines' clocks disagree. The lead
    is locked.
    """
    row = connection.execute(_NEWEST, {"lead": lead_id}).one()
    return just_after(now, row.event, row.run)


def just_after(now: datetime, *before: datetime | None) -> datetime:
    """`now`, or a moment after the latest of what was before, where that is later."""
    return max([now, *(moment + timedelta(microseconds=1) for moment in before if moment is not None)])


def newest(connection: Connection, lead_ids: Collection[str]) -> dict[str, datetime]:
    """The newest thing that each lead's runs have seen; a lead without any is missing. The leads are locked."""
    found: dict[str, datetime] = {}
    for query in (_ORDER_OF_EVENTS, _ORDER_OF_RUNS):
        for row in connection.execute(query, {"leads": list(lead_ids)}):
            found[row.lead_id] = max(row.at, found.get(row.lead_id, row.at))
    return found


@dataclass(frozen=True)
class OpenRun:
    """A run that has not ended, and where it stands."""

    id: str
    lead_id: str
    plan_hash: str
    step: str | None


def open_runs(connection: Connection, lead_ids: Collection[str]) -> list[OpenRun]:
    """The runs of these leads that have not ended. Lock the leads first."""
    found = connection.execute(_OPEN, {"leads": list(lead_ids)})
    return [OpenRun(row.id, row.lead_id, row.plan_hash, row.step) for row in found]


def deliver(connection: Connection, event: Event, run_ids: Collection[str], machine_now: datetime) -> None:
    """Put the event in the inboxes of these runs, and ask that they be woken: once, however many come."""
    deliver_all(connection, [(event, run_id) for run_id in run_ids], machine_now)


def deliver_all(connection: Connection, letters: Sequence[tuple[Event, str]], machine_now: datetime) -> None:
    """Put each event in the inbox of its run, and ask that the runs be woken."""
    if not letters:
        return
    connection.execute(
        _INTO,
        [
            {"run_id": run_id, "kind": "event", "event_id": event.id, "received_at": event.received_at}
            for event, run_id in letters
        ],
    )
    connection.execute(_WAKE, {"runs": sorted({run_id for _, run_id in letters}), "now": machine_now})


__all__ = [
    "Event",
    "count_events",
    "deliver",
    "deliver_all",
    "happened",
    "has_event",
    "just_after",
    "keep",
    "keep_all",
    "kept",
    "latest_from_outside",
    "newest",
    "open_runs",
]
