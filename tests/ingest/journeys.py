"""Small plans and leads for the tests of ingest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from dripline.language.plan import (
    Duration,
    EventFilter,
    Exit,
    Goal,
    Plan,
    StopStep,
    Trigger,
    WaitForStep,
)
from dripline.store.leads import Identity, add_lead, claim
from dripline.store.plans import publish
from dripline.store.schema import runs

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def a_plan(
    journey: str = "welcome",
    on: EventFilter | str = "lead.created",
    reentry: Literal["never", "always"] | Duration = "never",
    waits_for: EventFilter | None = None,
    **more: Any,
) -> Plan:
    """A journey that waits for one event and stops."""
    wait = EventFilter(events=("demo.booked",)) if waits_for is None else waits_for
    return Plan(
        journey=journey,
        title=journey.title(),
        timezone="Asia/Yerevan",
        postal_address={"": "Example Ltd, 1 Garden Street, Yerevan"},
        locale="hy",
        senders={},
        trigger=Trigger(on=EventFilter(events=(on,)) if isinstance(on, str) else on, reentry=reentry),
        steps=(
            WaitForStep(id="for-the-demo", on=wait, then="done", otherwise=None),
            StopStep(id="done", reason="booked"),
        ),
        templates={},
        **more,
    )


def a_lead(connection: Connection, lead_id: str = "lead-1", **values: Any) -> str:
    """A lead that is known, with nothing set going by it."""
    add_lead(connection, lead_id, values, MONDAY)
    for kind in ("external_id", "email", "phone"):
        if values.get(kind):
            assert claim(connection, lead_id, [Identity(kind, values[kind])], MONDAY)
    return lead_id


def published(connection: Connection, *plans: Plan) -> None:
    """Let leads enter these journeys."""
    for plan in plans:
        publish(connection, plan, MONDAY)


def stand_at(connection: Connection, run_id: str, step: str | None) -> None:
    """Put a run where a turn would have left it, its wake-ups attended to."""
    connection.execute(
        update(runs).where(runs.c.id == run_id).values(step=step, turn=1, wake_done=runs.c.wake_wanted)
    )


def end(connection: Connection, run_id: str, at: datetime = MONDAY) -> None:
    """End a run."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(ended_at=at, outcome="finished"))


def run_rows(connection: Connection, **wanted: Any) -> list[Any]:
    """The runs with these values, oldest first."""
    query = select(runs).order_by(runs.c.id)
    for name, value in wanted.items():
        query = query.where(runs.c[name] == value)
    return list(connection.execute(query).all())


__all__ = [
    "MONDAY",
    "EventFilter",
    "Exit",
    "Goal",
    "a_lead",
    "a_plan",
    "end",
    "published",
    "run_rows",
    "stand_at",
    "timedelta",
]
