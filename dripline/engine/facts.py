"""Facts: what became true, in the order in which it did. At one instant: exit, goal, wait, timeout."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any

from dripline.engine.asking import OUTSIDE, take_answer
from dripline.engine.calendar import add
from dripline.engine.effects import Answer, Effect, Event, Note, Outcome, RecordGoal
from dripline.engine.moving import Asking, Moving
from dripline.engine.reminding import reminded, stop, stops
from dripline.engine.scope import goal_value
from dripline.engine.sending import due_message
from dripline.engine.steps import accept, may_accept
from dripline.language.plan import MessageStep, RemindStep, RepeatStep, WaitForStep


def next_fact(run: Moving) -> Event | datetime | None:
    """The next thing that became true: an event, or the end of the wait (its instant)."""
    wait = run.state.wait
    events = sorted(run.pending.values(), key=lambda event: event.received_at)
    if wait is None:  # between two steps: only what is true by now, and only exits and goals count
        events = [event for event in events if event.received_at <= run.at]
    reached = max(run.now, events[0].received_at) if events else run.now
    end = wait.until if wait and wait.until and wait.until <= reached else None
    if events and (end is None or events[0].received_at <= end):
        first = [event for event in events if event.received_at == events[0].received_at]
        return min(first, key=lambda event: _rank(run, event))
    return end


def _rank(run: Moving, event: Event) -> int:
    if any(run.matches(way_out.on, event) for way_out in run.plan.exits):
        return 0
    return 1 if _is_goal(run, event) else 2


def take_fact(run: Moving, fact: Event | datetime) -> Generator[Effect, Any, Outcome | None]:
    if isinstance(fact, datetime):
        run.at = max(run.at, fact)
        yield from _wait_ended(run)
        return None
    run.at = max(run.at, fact.received_at)
    del run.pending[fact.id]
    for way_out in run.plan.exits:
        if run.matches(way_out.on, fact):
            yield Note(run.at, run.state.step, "exit", {"event": fact.name, "reason": way_out.reason})
            return Outcome("exit", way_out.reason)
    if _is_goal(run, fact):
        yield from _convert(run, fact)
        return Outcome("goal", fact.name)
    step = run.plan.by_id.get(run.state.step or "")
    if isinstance(fact, Answer):
        if run.state.wait and isinstance(step, OUTSIDE) and fact.step == step.id:
            yield from take_answer(run, step, fact)
        return None
    if run.state.wait and isinstance(step, RemindStep) and stops(run, step, fact):
        yield from stop(run, step, fact)
    if run.state.wait and isinstance(step, WaitForStep) and may_accept(run, step, fact):
        yield from accept(run, step, fact)
    return None


def _is_goal(run: Moving, event: Event) -> bool:
    goal = run.plan.goal
    if goal is None or not run.matches(goal.on, event):
        return False
    return goal.within is None or event.received_at <= add(run.state.started_at, goal.within, run.where)


def _convert(run: Moving, event: Event) -> Asking:
    value = goal_value(run.plan.goal, run.names(event)) if run.plan.goal else None
    at = max(run.at, event.received_at)
    yield RecordGoal(at, value)
    yield Note(at, run.state.step, "goal", {"event": event.name, "value": value})


def convert_late(run: Moving) -> Asking:
    """Count a goal that came after the end, but before this (late) turn: ingest saw the run still open."""
    goal = run.plan.goal
    coming = sorted(run.pending.values(), key=lambda event: event.received_at)
    reached = next((event for event in coming if _is_goal(run, event)), None)
    if goal and goal.within and reached:
        yield from _convert(run, reached)


def _wait_ended(run: Moving) -> Asking:
    step = run.plan.by_id[run.state.step or ""]
    if isinstance(step, MessageStep):
        yield from due_message(run, step)
    elif isinstance(step, WaitForStep):
        yield Note(run.at, step.id, "timeout", {"events": list(step.on.events)})
        run.go_to(step.otherwise)
    elif isinstance(step, RemindStep):
        yield from reminded(run, step)
    elif isinstance(step, RepeatStep):
        yield Note(run.at, step.id, "woke", {})
        run.go_to(step.id)
    else:
        yield Note(run.at, step.id, "woke", {})
        run.go_to(step.next)
