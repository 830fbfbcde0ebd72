"""Recording an event: kept once, told to the runs that listen, and starting the journeys that it triggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from dripline.engine import effects
from dripline.engine.entering import hears
from dripline.ingest.about import about_a_message
from dripline.ingest.consequences import follow_up
from dripline.ingest.conversions import credit_ended_runs
from dripline.ingest.entering import enter_triggered
from dripline.ingest.living import lock_living
from dripline.ingest.refusal import Refused
from dripline.store.events import Event, OpenRun, deliver, in_order, keep, kept, open_runs
from dripline.store.leads import survivor_id
from dripline.store.plans import load_plan

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recorded:
    """What became of an event. A repeated one is not `new`; it started and woke nothing."""

    event_id: str
    lead_id: str
    new: bool
    started: tuple[str, ...] = ()
    woken: tuple[str, ...] = ()


def record(connection: Connection, event: Event, machine_now: datetime) -> Recorded:
    """Record an event of a lead in the caller's transaction, with all that it sets going.

    Locks the lead first (the one that it was merged into). `event.properties` are coerced already; an event
    that a run emits has the run's depth plus one. Raises Refused: unknown lead (404), erased (410), an id that
    belongs to another event (409).
    """
    lead = lock_living(connection, event.lead_id)
    event = about_a_message(connection, replace(event, lead_id=lead.id))
    if not event.historical:
        event = replace(event, received_at=in_order(connection, lead.id, event.received_at))
    if not keep(connection, event):
        return repeated(connection, event)
    lead, told = follow_up(connection, lead, event, machine_now)
    done = Recorded(event.id, lead.id, new=True)
    if not event.historical:
        woken = _tell_listeners(connection, event, machine_now)
        credit_ended_runs(connection, lead, as_effect(event))
        done = replace(done, started=enter_triggered(connection, lead, event, machine_now), woken=woken)
    for one in told:
        record(connection, one, machine_now)
    return done


def record_change(
    connection: Connection,
    cause: str,
    lead_id: str,
    field: str | Sequence[str],
    at: datetime,
    machine_now: datetime,
) -> None:
    """Record what follows an event (its id is `cause`) that changed fields of the lead: `lead.updated`."""
    changed = [field] if isinstance(field, str) else list(field)
    event = Event(f"{cause}.updated", lead_id, "lead.updated", {"changed": changed}, at)
    record(connection, event, machine_now)


def repeated(connection: Connection, event: Event) -> Recorded:
    """What becomes of an event whose id is known. Raises Refused (409) where that is another event's."""
    before = kept(connection, event.id)
    if (
        before is None
        or before.name != event.name
        or survivor_id(connection, before.lead_id) != event.lead_id
    ):
        raise Refused(
            409,
            "event-id-taken",
            "Another event has this id already; nothing was recorded. Give each its own.",
        )
    return Recorded(event.id, event.lead_id, new=False)


def _tell_listeners(connection: Connection, event: Event, machine_now: datetime) -> tuple[str, ...]:
    candidates = open_runs(connection, [event.lead_id])
    woken = tuple(run.id for run in candidates if listens(connection, run, event))
    deliver(connection, event, woken, machine_now)
    return woken


def listens(connection: Connection, run: OpenRun, event: Event) -> bool:
    """Whether the run must look at the event. Where only the run can tell, it must."""
    plan = load_plan(connection, run.plan_hash)
    try:
        return hears(plan, run.step, as_effect(event))
    except Exception as error:  # whatever it is, the turn meets it as well, and says so in the run's story
        _log.warning("filter-failed", journey=plan.journey, run=run.id, error=type(error).__name__)
        return True


def as_effect(event: Event) -> effects.Event:
    """The event as the engine knows it."""
    return effects.Event(event.id, event.name, event.properties, event.received_at)
