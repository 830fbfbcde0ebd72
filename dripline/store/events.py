"""Events, each kept once by its id, and the inboxes of the runs that listen for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dripline.store.schema import Utc, events, inbox, runs


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
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {
        "id": event.id,
        "lead_id": event.lead_id,
        "name": event.name,
        "properties": dict(event.properties),
        "received_at": event.received_at,
        "occurred_at": event.occurred_at,
        "historical": event.historical,
        "depth": event.depth,
    }
    statement = dialect.insert(events).values(values).on_conflict_do_nothing(index_elements=["id"])
    return connection.execute(statement.returning(events.c.seq)).one_or_none() is not None


def kept(connection: Connection, event_id: str) -> Row[Any] | None:
    """The event of that id, or None."""
    return connection.execute(select(events).where(events.c.id == event_id)).one_or_none()


def in_order(connection: Connection, lead_id: str, now: datetime) -> datetime:
    """`now`, or just after the newest thing that its runs have seen: a lead's own time never goes back.

    So an event that follows a message counts as after it, even where two machines' clocks disagree. The lead
    is locked.
    """
    newest = (
        select(func.max(events.c.received_at))
        .where(events.c.lead_id == lead_id, events.c.historical.is_(False))
        .scalar_subquery()
    )
    run_at = select(func.max(runs.c.last_at)).where(runs.c.lead_id == lead_id).scalar_subquery()
    row = connection.execute(select(newest.label("event"), run_at.label("run"))).one()
    before = [moment for moment in (row.event, row.run) if moment is not None]
    latest: datetime = max([now, *(moment + timedelta(microseconds=1) for moment in before)])
    return latest


@dataclass(frozen=True)
class OpenRun:
    """A run that has not ended, and where it stands."""

    id: str
    plan_hash: str
    step: str | None


def open_runs(connection: Connection, lead_id: str) -> list[OpenRun]:
    """The lead's runs that have not ended. Lock the lead first."""
    query = (
        select(runs.c.id, runs.c.plan_hash, runs.c.step)
        .where(runs.c.lead_id == lead_id, runs.c.ended_at.is_(None))
        .order_by(runs.c.id)
    )
    return [OpenRun(row.id, row.plan_hash, row.step) for row in connection.execute(query)]


def deliver(connection: Connection, event: Event, run_ids: Collection[str], machine_now: datetime) -> None:
    """Put the event in the inboxes of these runs, and ask that they be woken: once, however many come."""
    if not run_ids:
        return
    connection.execute(
        insert(inbox),
        [
            {"run_id": run_id, "kind": "event", "event_id": event.id, "received_at": event.received_at}
            for run_id in run_ids
        ],
    )
    now = literal(machine_now, Utc())
    waiting_since = case(
        (runs.c.wake_wanted > runs.c.wake_done, func.coalesce(runs.c.wake_wanted_at, now)), else_=now
    )
    connection.execute(
        update(runs)
        .where(runs.c.id.in_(run_ids))
        .values(wake_wanted=runs.c.wake_wanted + 1, wake_wanted_at=waiting_since)
    )


__all__ = ["Event", "deliver", "keep", "kept", "open_runs"]
