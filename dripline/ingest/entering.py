"""Entering a journey: who may, how often, and the row that a run begins with. All under the lead's lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
import uuid_utils
from sqlalchemy import Connection, Row, bindparam, insert, select

from dripline.engine import effects
from dripline.engine.entering import MAX_DEPTH, EarlierRun, bar, triggers
from dripline.language.plan import Plan
from dripline.store.events import Event
from dripline.store.leads import facts
from dripline.store.plans import published
from dripline.store.schema import runs

_log = structlog.get_logger(__name__)

# Built once: building a statement costs three times as much as executing it.
_EARLIER = (
    select(runs.c.started_at, runs.c.ended_at)
    .where(runs.c.lead_id == bindparam("lead"), runs.c.journey == bindparam("journey"))
    .order_by(runs.c.started_at.desc())
)
_START = insert(runs)


def enter_triggered(
    connection: Connection, lead: Row[Any], event: Event, machine_now: datetime
) -> tuple[str, ...]:
    """Start a run in every published journey that the event triggers and that lets the lead in; their ids."""
    started = []
    for one in published(connection):
        if one.paused or not _triggers(one.plan, lead, event):
            continue
        if event.depth > MAX_DEPTH:
            _log.warning("chain-too-long", journey=one.plan.journey, event_id=event.id, depth=event.depth)
            continue
        if barred(connection, lead, one.plan, event.received_at) is None:
            started.append(start(connection, lead.id, one.plan, event, machine_now))
    return tuple(started)


def barred(connection: Connection, lead: Row[Any], plan: Plan, now: datetime) -> str | None:
    """Why the lead may not enter the journey at `now`; None if it may."""
    earlier = connection.execute(_EARLIER, {"lead": lead.id, "journey": plan.journey}).all()
    known = [EarlierRun(run.started_at, run.ended_at is not None) for run in earlier]
    return bar(plan, facts(lead), known, now)


def start(connection: Connection, lead_id: str, plan: Plan, event: Event, machine_now: datetime) -> str:
    """Insert a run that stands before its first turn and wants to be woken; its id."""
    run_id = str(uuid_utils.uuid7())
    row = {
        "id": run_id,
        "lead_id": lead_id,
        "journey": plan.journey,
        "plan_hash": plan.hash,
        "priority": plan.priority,
        "depth": event.depth,
        "trigger_event": event.id,
        "turn": 0,
        "variables": {},
        "visits": {},
        "accepted": [],
        "started_at": event.received_at,
        "last_at": event.received_at,
        "wake_wanted": 1,
        "wake_done": 0,
        "wake_wanted_at": machine_now,
    }
    connection.execute(_START, row)
    return run_id


def _triggers(plan: Plan, lead: Row[Any], event: Event) -> bool:
    trigger = effects.Event(event.id, event.name, event.properties, event.received_at)
    try:
        return triggers(plan, facts(lead), trigger)
    except Exception as error:  # no condition, whatever is wrong with it, may lose the event
        _log.warning(
            "trigger-failed",
            journey=plan.journey,
            event_id=event.id,
            error=getattr(error, "code", type(error).__name__),
        )
        return False
