"""Entering steps: what each verb does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from dripline.engine.calendar import add
from dripline.engine.changing import MAX_ACCEPTED, enroll, set_names, split, unenroll, update
from dripline.engine.effects import (
    AskSuppression,
    CountMessages,
    Effect,
    Event,
    FindEvents,
    Note,
    Outcome,
    QueueMessage,
    SkipMessage,
)
from dripline.engine.looping import next_pass
from dripline.engine.moving import Asking, Moving
from dripline.engine.policy import over_limit, refusal
from dripline.engine.resting import rest
from dripline.language.plan import (
    BranchStep,
    DelayStep,
    Duration,
    EnrollStep,
    Limit,
    MessageStep,
    RepeatStep,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
)

MAX_STEPS = 1000
"""Steps without a wait after which a run ends as `too-long`, and steps after which a turn ends at its next wait."""


def enter(run: Moving, step: Step) -> Generator[Effect, Any, Outcome | None]:
    run.steps_taken += 1
    run.steps_since_wait += 1
    if run.steps_since_wait > MAX_STEPS:
        return Outcome("too-long", f"more than {MAX_STEPS} steps without a wait")
    if isinstance(step, RepeatStep) and step.id in run.state.loops:  # between two passes, not a new visit
        yield from next_pass(run, step)
        return None
    if step.condition and not run.holds(step.condition):
        yield Note(run.at, step.id, "if-false", {"if": step.condition})
        run.go_to(step.next)
        return None
    visit = run.state.visits.get(step.id, 0) + 1
    run.state = replace(run.state, visits={**run.state.visits, step.id: visit})
    match step:
        case MessageStep():
            yield from _message(run, step, visit)
        case DelayStep():
            yield from rest(run, step, step.duration)
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
        case _:
            assert_never(step)
    return None


def _message(run: Moving, step: MessageStep, visit: int) -> Asking:
    message = QueueMessage(
        step=step.id,
        visit=visit,
        channel=step.channel,
        template=step.template,
        topic=step.topic,
        transactional=step.transactional,
        context=run.context(),
        at=run.at,
    )
    suppressed = yield AskSuppression(step.channel)
    reason = refusal(step.channel, step.topic, step.transactional, run.lead, suppressed)
    if reason is None and step.limit and not step.transactional:
        sent = yield CountMessages(_since(run, step.limit))
        reason = over_limit(step, sent)
    if reason is None:
        key = yield message
        run.state = replace(run.state, last_message_at=run.at)
        yield Note(run.at, step.id, "queued", {"message": key, "template": step.template})
    else:
        key = yield SkipMessage(message, reason)
        yield Note(run.at, step.id, "skipped", {"message": key, "template": step.template, "reason": reason})
    if step.result:
        sent_it = {
            "message": key,
            "sent": reason is None,
            "skipped": reason is not None,
            "reason": reason,
        }
        run.remember(step.result, sent_it)
    run.go_to(step.next)


def _since(run: Moving, limit: Limit) -> datetime:
    """When the period of a cap that ends now began."""
    per = limit.per
    return add(
        run.at,
        Duration(months=-per.months, days=-per.days, seconds=-per.seconds),
        run.where,
    )


def _wait_for(run: Moving, step: WaitForStep) -> Asking:
    """Rest at the step, then look back: what already counts is accepted here and now."""
    yield from rest(run, step, step.timeout)
    seen: list[Event] = yield FindEvents(step.on.events, _look_back(run, step))
    for event in seen:
        if not may_accept(run, step, event):
            continue
        if event.received_at <= run.at:
            run.pending.pop(event.id, None)
            yield from accept(run, step, event)
            return
        run.pending.setdefault(event.id, event)


def _look_back(run: Moving, step: WaitForStep) -> datetime:
    match step.since:
        case "now":
            return run.at
        case "start":
            return run.state.started_at
        case "message":
            return run.state.last_message_at or run.state.started_at
        case Duration() as ago:
            back = Duration(months=-ago.months, days=-ago.days, seconds=-ago.seconds)
            return add(run.at, back, run.where)


def may_accept(run: Moving, step: WaitForStep, event: Event) -> bool:
    trigger = run.state.trigger
    if event.id in run.state.accepted or (trigger and event.id == trigger.id):
        return False
    return run.matches(step.on, event)


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
