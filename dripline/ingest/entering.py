"""Entering a journey: who may, how often, and the row that a run begins with. All under the lead's lock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
import uuid_utils
from sqlalchemy import Connection, Row, bindparam, func, insert, select

from dripline.engine import effects
from dripline.engine.entering import MAX_DEPTH, EarlierRun, allows, bar
from dripline.engine.keys import key_of
from dripline.language.plan import Plan
from dripline.store.events import Event, in_order, keep
from dripline.store.leads import facts
from dripline.store.merges import was_held_out
from dripline.store.plans import load_plan, published
from dripline.store.schema import journeys, runs

_log = structlog.get_logger(__name__)

# Built once: building a statement costs three times as much as executing it.
# Put in order here: to have it in order, SQLite reads through all runs of the journey.
_EARLIER = select(runs.c.started_at, runs.c.ended_at, runs.c.key).where(
    runs.c.lead_id == bindparam("lead"), runs.c.journey == bindparam("journey")
)
_START = insert(runs).values(
    frozen_for=func.coalesce(
        select(journeys.c.frozen_for).where(journeys.c.id == bindparam("in_journey")).scalar_subquery(), 0.0
    )
)


def enter_triggered(
    connection: Connection, lead: Row[Any], event: Event, machine_now: datetime
) -> tuple[str, ...]:
    """Start a run in every published journey that the event triggers and that lets the lead in; their ids."""
    started = []
    for one in published(connection):
        if one.paused or event.name not in one.plan.trigger.on.events:
            continue
        if not _triggers(one.plan, lead, event):
            continue
        if event.depth > MAX_DEPTH:
            _log.warning("chain-too-long", journey=one.plan.journey, event_id=event.id, depth=event.depth)
            continue
        key = key_of(one.plan, event.properties)
        if barred(connection, lead, one.plan, event.received_at, key) is None:
            started.append(start(connection, lead.id, one.plan, event, machine_now))
    return tuple(started)


def let_in(
    connection: Connection, lead: Row[Any], journey: str, event: Event, machine_now: datetime
) -> str | None:
    """Start a run of the journey past its trigger, recording the event that it begins with; or why not."""
    query = select(journeys.c.plan_hash, journeys.c.paused_at).where(
        journeys.c.id == journey, journeys.c.retired_at.is_(None)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return "the journey is not published"
    if row.paused_at is not None:
        return "the journey is paused"
    plan = load_plan(connection, row.plan_hash)
    event = replace(event, received_at=in_order(connection, lead.id, event.received_at))
    why_not = barred(connection, lead, plan, event.received_at, key_of(plan, event.properties))
    if why_not is None:
        keep(connection, event)
        start(connection, lead.id, plan, event, machine_now)
    return why_not and f"the lead {why_not}"


def barred(connection: Connection, lead: Row[Any], plan: Plan, now: datetime, key: str | None) -> str | None:
    """Why the lead may not enter the journey at `now`; None if it may. Each key counts by itself."""
    found = connection.execute(_EARLIER, {"lead": lead.id, "journey": plan.journey})
    earlier = sorted(found, key=lambda run: run.started_at, reverse=True)
    known = [EarlierRun(run.started_at, run.ended_at is not None) for run in earlier if run.key == key]
    return bar(plan, facts(lead), known, now)


def start(connection: Connection, lead_id: str, plan: Plan, event: Event, machine_now: datetime) -> str:
    """Insert a run that begins with the event; its id."""
    key = key_of(plan, event.properties)
    return begin(connection, lead_id, plan, event.received_at, machine_now, key, event)


def begin(
    connection: Connection,
    lead_id: str,
    plan: Plan,
    at: datetime,
    machine_now: datetime,
    key: str | None,
    event: Event | None = None,
    *,
    held_out: bool = False,
) -> str:
    """Insert a run that stands before its first turn and wants to be woken; its id.

    `held_out`: of a control group, whatever the journey itself draws.
    """
    run_id = str(uuid_utils.uuid7())
    drawn = held_out or (bool(plan.holdout) and was_held_out(connection, lead_id, plan.journey))
    row = {
        "id": run_id,
        "lead_id": lead_id,
        "journey": plan.journey,
        "plan_hash": plan.hash,
        "priority": plan.priority,
        "key": key,
        "depth": event.depth if event else 0,
        "trigger_event": event.id if event else None,
        "turn": 0,
        "variables": {},
        "visits": {},
        "holdout": drawn,
        "accepted": [],
        "started_at": at,
        "last_at": at,
        "wake_wanted": 1,
        "wake_done": 0,
        "wake_wanted_at": machine_now,
    }
    connection.execute(_START, {**row, "in_journey": plan.journey})
    return run_id


def _triggers(plan: Plan, lead: Row[Any], event: Event) -> bool:
    trigger = effects.Event(event.id, event.name, event.properties, event.received_at)
    return let_through(plan, lead, trigger, event.received_at)


def let_through(plan: Plan, lead: Row[Any], trigger: effects.Event | None, at: datetime) -> bool:
    """Whether the trigger's condition holds; one that cannot be evaluated does not."""
    try:
        return allows(plan, facts(lead), trigger, at)
    except Exception as error:  # no condition, whatever is wrong with it, may lose the event
        _log.warning(
            "trigger-failed",
            journey=plan.journey,
            event_id=trigger.id if trigger else None,
            error=getattr(error, "code", type(error).__name__),
        )
        return False
