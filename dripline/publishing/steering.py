"""What an operator does to a single run: put it elsewhere, or let it pass over what it rests at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dripline.engine.effects import RunState
from dripline.language.plan import (
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    MessageStep,
    Plan,
    RemindStep,
    RepeatStep,
    Step,
    WaitForStep,
    WebhookStep,
)
from dripline.publishing.landing import Change, Landing
from dripline.publishing.resting import entered_anew

BY_HAND = "skipped by a person"
"""The reason that the result of a step gives that was passed over."""


def put(plan: Plan, state: RunState, step: str, now: datetime) -> Landing:
    """Let the run enter a step of its plan, as if it came there now."""
    return _entering(Change(plan, plan, {}), state, step, now)


def pass_over(plan: Plan, state: RunState, now: datetime) -> Landing | None:
    """Let the run go on behind its step, as it would if nothing had come of it; None if it has not begun.

    A wait ends as it does when its time is over, a message is not sent, an answer is waited for no more.
    """
    if state.step is None:
        return None
    step = plan.by_id[state.step]
    loops = state.loops
    if isinstance(step, RemindStep):
        loops = {name: loop for name, loop in loops.items() if name != step.id}
    told = _result(step, state)
    variables = {**state.variables, step.result: told} if step.result and told else state.variables
    visits = {**state.visits, step.id: max(1, state.visits.get(step.id, 0))}
    passed = replace(state, variables=variables, loops=loops, visits=visits)
    return _entering(Change(plan, plan, {}), passed, _behind(step, state), now)


def _entering(change: Change, state: RunState, step: str | None, now: datetime) -> Landing:
    at, rest = max(now, state.last_at), entered_anew()
    within = {loop: kept for loop, kept in state.loops.items() if step and _is_in(change.new, loop, step)}
    landed = replace(state, step=step, wait=None, loops=within, last_at=at)
    if state.step is None or step is None:
        return Landing(landed, rest)
    return Landing(landed, rest, change.hazards(state, landed, rest))


def _is_in(plan: Plan, loop: str, step: str) -> bool:
    """Whether the step is in the loop, so that its count goes on."""
    around = plan.by_id[loop]
    if isinstance(around, RepeatStep):
        return step == loop or step in around.within
    return step == loop


def _behind(step: Step, state: RunState) -> str | None:
    if isinstance(step, WaitForStep):
        return step.otherwise
    if isinstance(step, RepeatStep) and state.wait is not None:  # the rest between two passes
        return step.id
    return step.next


def _result(step: Step, state: RunState) -> dict[str, Any] | None:
    """What the rest of the journey reads of a step that was passed over."""
    match step:
        case MessageStep():
            return {"message": None, "sent": False, "skipped": True, "reason": BY_HAND}
        case WebhookStep() | CallStep():
            return {"ok": False, "skipped": True, "reason": BY_HAND}
        case DiscountStep():
            return {"is": "discount", "skipped": True, "reason": BY_HAND}
        case RemindStep():
            return {"outcome": "skipped", "reminders": state.loops.get(step.id, {}).get("reminders", 0)}
        case _:
            return None


def says(step: Step, state: RunState) -> str:
    """What passing over the step comes to, in words."""
    match step:
        case DelayStep() | DelayUntilStep() | WaitForStep():
            return "the wait ends now"
        case MessageStep():
            return "the message is not sent"
        case WebhookStep() | CallStep():
            return "no answer is waited for"
        case DiscountStep():
            return "no discount is issued"
        case RemindStep():
            return "the reminders end"
        case RepeatStep() if state.wait is not None:
            return "the next pass begins now"
        case _:
            return "the step is passed over"
