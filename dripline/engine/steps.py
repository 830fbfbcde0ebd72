"""Entering steps: what each verb does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from dripline.engine.about import means_its_last
from dripline.engine.asking import ask
from dripline.engine.assigning import assign, set_task
from dripline.engine.calendar import add
from dripline.engine.changing import MAX_ACCEPTED, enroll, set_names, split, unenroll, update
from dripline.engine.effects import Effect, Event, FindEvents, Note, Outcome
from dripline.engine.issuing import issue
from dripline.engine.looping import next_pass
from dripline.engine.moving import Asking, Moving
from dripline.engine.noticing import notify
from dripline.engine.referring import refer
from dripline.engine.reminding import remind
from dripline.engine.resting import rest
from dripline.engine.sending import due_message
from dripline.engine.surveying import is_answer, unasked, was_asked
from dripline.engine.waiting import delay_until, wait_end
from dripline.language.expressions import compile_expression
from dripline.language.plan import (
    AssignStep,
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    Duration,
    EnrollStep,
    MessageStep,
    NotifyStep,
    Reached,
    ReferralStep,
    RemindStep,
    RepeatStep,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    TaskStep,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
    WebhookStep,
)

MAX_STEPS = 1000
"""Steps without a wait after which a run ends as `too-long`, and steps after which a turn ends at its next wait."""


def enter(run: Moving, step: Step) -> Generator[Effect, Any, Outcome | None]:
    run.steps_taken += 1
    run.steps_since_wait += 1
    if run.steps_since_wait > MAX_STEPS:
        return Outcome("too-long", f"more than {MAX_STEPS} steps without a wait")
    if isinstance(step, RemindStep) and step.id in run.state.loops:  # behind a reminder: no new visit
        yield from remind(run, step)
        return None
    if isinstance(step, RepeatStep) and step.id in run.state.loops:  # between two passes, not a new visit
        yield from next_pass(run, step)
        return None
    if any(compile_expression(source).recommends for source in _asked_of(step)):
        yield from run.look_what_to_recommend()
    if step.condition and not run.holds(step.condition):
        yield Note(run.at, step.id, "if-false", {"if": step.condition})
        run.go_to(step.next)
        return None
    visit = run.state.visits.get(step.id, 0) + 1
    run.state = replace(run.state, visits={**run.state.visits, step.id: visit})
    if step.id in run.plan.landmarks:
        run.remember(landmark(step.id), run.at.isoformat())
    match step:
        case MessageStep():
            yield from due_message(run, step)
        case DelayStep():
            yield from rest(run, step, add(run.at, step.duration, run.where))
        case DelayUntilStep():
            return (yield from delay_until(run, step))
        case WaitForStep():
            yield from _wait_for(run, step)
        case BranchStep():
            yield from _branch(run, step)
        case SplitStep():
            yield from split(run, step)
        case RepeatStep():
            yield from next_pass(run, step)
        case SetStep():
            yield from set_names(run, step)
        case UpdateStep():
            return (yield from update(run, step))
        case EnrollStep():
            return (yield from enroll(run, step))
        case UnenrollStep():
            yield from unenroll(run, step)
        case StopStep():
            return Outcome("stopped", step.reason)
        case RemindStep():
            yield from remind(run, step)
        case AssignStep():
            return (yield from assign(run, step, visit))
        case TaskStep():
            yield from set_task(run, step, visit)
        case NotifyStep():
            yield from notify(run, step, visit)
        case DiscountStep():
            yield from issue(run, step, visit)
        case ReferralStep():
            yield from refer(run, step)
        case WebhookStep() | CallStep():
            yield from ask(run, step, visit)
        case _:
            assert_never(step)
    return None


def _asked_of(step: Step) -> list[str]:
    """The expressions of a step that may ask what there is to recommend; `check` keeps others from it."""
    found = [step.condition] if step.condition else []
    if isinstance(step, BranchStep):
        found += [arm.when for arm in step.arms if arm.when is not None]
    elif isinstance(step, SetStep):
        found += step.values.values()
    return found


def _wait_for(run: Moving, step: WaitForStep) -> Asking:
    """Rest at the step, then look back: what already counts is accepted here and now."""
    if not was_asked(run, step):
        yield from unasked(run, step)
        return
    yield from rest(run, step, wait_end(run, step))
    seen: list[Event] = yield FindEvents(step.on.events, look_back(run, step))
    for event in seen:
        if not may_accept(run, step, event):
            continue
        if event.received_at <= run.at:
            run.pending.pop(event.id, None)
            yield from accept(run, step, event)
            return
        run.pending.setdefault(event.id, event)


def look_back(run: Moving, step: WaitForStep) -> datetime:
    """Since when events already count for a wait that begins now."""
    match step.since:
        case "now":
            return run.at
        case "start":
            return run.state.started_at
        case "message":
            return run.state.last_message_at or run.state.started_at
        case Reached(step=landed):
            reached = run.state.variables.get(landmark(landed))
            return datetime.fromisoformat(reached) if reached else run.state.started_at
        case Duration() as ago:
            back = Duration(months=-ago.months, days=-ago.days, seconds=-ago.seconds)
            return add(run.at, back, run.where)


def landmark(step: str) -> str:
    """Under which name a run remembers when it came to a step: one that no expression can read."""
    return f"@{step}"


def may_accept(run: Moving, step: WaitForStep, event: Event) -> bool:
    trigger = run.state.trigger
    if event.id in run.state.accepted or (trigger and event.id == trigger.id):
        return False
    if not is_answer(run, step, event):
        return False
    return means_its_last(run, step.on, event) and run.matches(step.on, event)


def accept(run: Moving, step: WaitForStep, event: Event) -> Asking:
    accepted = (*run.state.accepted, event.id)[-MAX_ACCEPTED:]
    run.state = replace(run.state, last_event=event, accepted=accepted)
    if step.result:
        run.remember(step.result, {**event.properties, "name": event.name})
    yield Note(run.at, step.id, "accepted", {"event": event.name, "event_id": event.id})
    run.go_to(step.then)


def _branch(run: Moving, step: BranchStep) -> Asking:
    for number, arm in enumerate(step.arms, 1):
        if arm.when is None or run.holds(arm.when):
            yield Note(run.at, step.id, "branch", {"arm": number, "when": arm.when or "else"})
            run.go_to(arm.to)
            return
    yield Note(run.at, step.id, "branch", {"arm": None, "when": None})
    run.go_to(step.next)
