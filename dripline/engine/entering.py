"""The rules by which an event reaches leads' runs: who enters, who listens, which goal counts late.

Pure, so that ingest (with the store) and the simulator (with a made-up world) follow the very same ones.
Conditions are evaluated here and raise EvaluationError; what becomes of an event then is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dripline.engine.calendar import add, zone_of
from dripline.engine.effects import Event
from dripline.engine.keys import of_another_key
from dripline.engine.listening import listening
from dripline.engine.scope import event_scope, goal_value, scope
from dripline.language.expressions import compile_expression
from dripline.language.plan import EventFilter, Plan

MAX_DEPTH = 16
"""Runs that may lead to one another by the events that they emit; a longer chain goes round in a circle."""


@dataclass(frozen=True)
class EarlierRun:
    """A run of the lead in the journey that it wants to enter."""

    started_at: datetime
    ended: bool


def triggers(plan: Plan, lead: Mapping[str, Any], event: Event) -> bool:
    """Whether the event lets the lead into the journey, its re-entry rule aside. Raises EvaluationError."""
    return event.name in plan.trigger.on.events and allows(plan, lead, event, event.received_at)


def allows(plan: Plan, lead: Mapping[str, Any], trigger: Event | None, at: datetime) -> bool:
    """Whether the trigger's condition holds for who enters by the event, or by a date. Raises EvaluationError."""
    if plan.trigger.on.when is None:
        return True
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    known = scope(plan, lead, trigger, trigger, {}, at, where)
    return compile_expression(plan.trigger.on.when).holds(known)


def bar(plan: Plan, lead: Mapping[str, Any], earlier: Sequence[EarlierRun], now: datetime) -> str | None:
    """Why the lead may not enter the journey at `now`; None if it may.

    `earlier` are the lead's runs of the same key. An open one always bars another. `after DURATION` counts from
    the last one's start, in the lead's zone.
    """
    if any(not run.ended for run in earlier):
        return "is in the journey already"
    if not earlier or plan.trigger.reentry == "always":
        return None
    if plan.trigger.reentry == "never":
        return "was in the journey before, which allows it once"
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    if now < add(max(run.started_at for run in earlier), plan.trigger.reentry, where):
        return "was in the journey too short a time ago"
    return None


def hears(plan: Plan, step: str | None, event: Event) -> bool:
    """Whether a run that stands at `step` must look at the event. Where only the run can tell, it must."""
    return any(_lets_through(plan, wanted, event) for wanted in listening(plan, step))


def _lets_through(plan: Plan, wanted: EventFilter, event: Event) -> bool:
    if event.name not in wanted.events:
        return False
    if wanted.when is None or not wanted.event_only:
        return True
    return compile_expression(wanted.when).holds({"event": event_scope(plan, event)})


def reached_late(
    plan: Plan,
    lead: Mapping[str, Any],
    trigger: Event | None,
    variables: Mapping[str, Any],
    started_at: datetime,
    event: Event,
) -> tuple[bool, float | None]:
    """Whether the event is the goal of a run that has ended, within its time, and its worth."""
    goal = plan.goal
    if goal is None or goal.within is None or event.name not in goal.on.events:
        return False, None
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    if event.received_at > add(started_at, goal.within, where):
        return False, None
    if of_another_key(plan, trigger, event):
        return False, None
    names = scope(plan, lead, trigger, event, variables, event.received_at, where)
    if goal.on.when is not None and not compile_expression(goal.on.when).holds(names):
        return False, None
    return True, goal_value(goal, names)
