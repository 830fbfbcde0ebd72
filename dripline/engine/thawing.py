"""The waits of a run whose journey stood still for a while: they go on where they stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.effects import RunState, Wait
from dripline.engine.moving import Moving
from dripline.engine.waiting import moment_of
from dripline.language.expressions import EvaluationError
from dripline.language.plan import DelayUntilStep, MessageStep, Moment, Plan, RemindStep, Step, WaitForStep


def thawed(plan: Plan, state: RunState, lead: Mapping[str, Any], stood: timedelta, now: datetime) -> RunState:
    """The run after its journey stood still for so long, until `now`.

    A length of time goes on where it stopped. A moment of the calendar (monday 09:00, a birthday) is what it is: the
    next such one, or now where it has gone by. A message that was held back asks again.
    """
    state = replace(state, loops=_periods(plan, state, stood))
    wait = state.wait
    if wait is None or state.step is None:
        return state
    step = plan.by_id[state.step]
    began = wait.began + stood
    if isinstance(step, MessageStep):
        until = wait.until and max(wait.until, now) if wait.held == "throttle" else now
        return replace(state, wait=Wait(began, until, wait.held))
    moment = _moment(step)
    if moment is not None:
        return replace(state, wait=Wait(began, _next(plan, state, lead, moment, began, now)))
    until = None if wait.until is None else wait.until + stood
    if isinstance(step, RemindStep) and step.id in state.loops:
        loop = state.loops[step.id]
        end, seen = datetime.fromisoformat(loop["end"]), datetime.fromisoformat(loop["seen"]) + stood
        loops = {**state.loops, step.id: {**loop, "seen": seen.isoformat()}}
        return replace(state, wait=Wait(began, min(until or end, max(end, now))), loops=loops)
    return replace(state, wait=Wait(began, until))


def _moment(step: object) -> Moment | None:
    if isinstance(step, DelayUntilStep):
        return step.moment
    return step.until if isinstance(step, WaitForStep) else None


def _next(
    plan: Plan, state: RunState, lead: Mapping[str, Any], moment: Moment, began: datetime, now: datetime
) -> datetime:
    try:
        found = moment_of(Moving(plan, replace(state, last_at=began), lead, (), began), moment)
    except EvaluationError:  # the wait ends, and the turn tells
        found = None
    return max(found or now, now)


def _periods(plan: Plan, state: RunState, stood: timedelta) -> dict[str, Any]:
    """The loops: a period of reminders goes on where it stopped, also behind one; the day that the lead named stays."""
    return {
        id_: _later(loop, stood) if _has_period(plan.by_id.get(id_)) else loop
        for id_, loop in state.loops.items()
    }


def _has_period(step: Step | None) -> bool:
    return isinstance(step, RemindStep) and step.period is not None


def _later(loop: Mapping[str, Any], stood: timedelta) -> dict[str, Any]:
    return {**loop, "end": (datetime.fromisoformat(loop["end"]) + stood).isoformat()}
