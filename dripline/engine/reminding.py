"""Deferred demand: keeping in touch until the day that a lead has named, and no longer than it wants."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from dripline.engine.about import is_its_own
from dripline.engine.calendar import add, at_local
from dripline.engine.effects import Effect, Event, FindEvents, Note, Wait
from dripline.engine.moving import Asking, Moving
from dripline.language.expressions import Empty, EvaluationError, compile_expression
from dripline.language.plan import RemindStep

MORNING = time(9)
"""When a day begins for which no time was said."""


def remind(run: Moving, step: RemindStep) -> Asking:
    """Begin, or go on behind a reminder: rest until the next one or the day."""
    loop = run.state.loops.get(step.id)
    if loop is None:
        end = end_of(run, step)
        if end is None:
            yield Note(run.at, step.id, "no-day", {"about": step.about})
            _leave(run, step, {"outcome": "no-date", "reminders": 0}, step.next)
            return
        loop = {"end": end.isoformat(), "seen": run.at.isoformat(), "reminders": 0}
    end, seen = datetime.fromisoformat(loop["end"]), datetime.fromisoformat(loop["seen"])
    if end <= run.at:
        yield from _day(run, step, loop)
        return
    loop = {**loop, "seen": run.at.isoformat()}
    run.state = replace(run.state, loops={**run.state.loops, step.id: loop})
    run.steps_since_wait = 0
    until = min(add(run.at, step.every, run.where), end)
    run.state = replace(run.state, wait=Wait(run.at, until))
    events = list(step.unless.events) if step.unless else []
    yield Note(run.at, step.id, "waits", {"until": until.isoformat(), "events": events})
    yield from _look_back(run, step, seen)


def reminded(run: Moving, step: RemindStep) -> Asking:
    """The wait is over: the day has come, or it is time for a reminder."""
    loop = run.state.loops[step.id]
    if datetime.fromisoformat(loop["end"]) <= run.at:
        yield from _day(run, step, loop)
        return
    loop = {**loop, "reminders": loop["reminders"] + 1}
    run.state = replace(run.state, loops={**run.state.loops, step.id: loop})
    yield Note(run.at, step.id, "reminds", {"about": step.about, "number": loop["reminders"]})
    run.go_to(step.message or step.id)


def stops(run: Moving, step: RemindStep, event: Event) -> bool:
    """Whether the event ends the reminders."""
    trigger = run.state.trigger
    if event.id in run.state.accepted or (trigger and event.id == trigger.id):
        return False
    if step.unless is None or not is_its_own(run, step.unless, event):
        return False
    return run.matches(step.unless, event)


def stop(run: Moving, step: RemindStep, event: Event) -> Asking:
    """End the reminders: the lead has come by itself."""
    loop: Mapping[str, Any] = run.state.loops.get(step.id, {})
    run.state = replace(run.state, last_event=event, accepted=(*run.state.accepted, event.id)[-200:])
    yield Note(run.at, step.id, "accepted", {"event": event.name, "event_id": event.id})
    said = {"outcome": "stopped", "event": event.name, "reminders": loop.get("reminders", 0)}
    _leave(run, step, said, step.next)


def _look_back(run: Moving, step: RemindStep, seen: datetime) -> Generator[Effect, Any, None]:
    """What came while a reminder was on its way counts as well."""
    if step.unless is None:
        return
    found: list[Event] = yield FindEvents(step.unless.events, seen)
    for event in found:
        if not stops(run, step, event):
            continue
        if event.received_at <= run.at:
            run.pending.pop(event.id, None)
            yield from stop(run, step, event)
            return
        run.pending.setdefault(event.id, event)


def _day(run: Moving, step: RemindStep, loop: Mapping[str, Any]) -> Asking:
    yield Note(run.at, step.id, "day-came", {"about": step.about})
    _leave(run, step, {"outcome": "day", "reminders": loop["reminders"]}, step.on_day)


def _leave(run: Moving, step: RemindStep, said: dict[str, Any], to: str | None) -> None:
    loops = {name: loop for name, loop in run.state.loops.items() if name != step.id}
    run.state = replace(run.state, loops=loops)
    if step.result:
        run.remember(step.result, said)
    run.go_to(to)


def end_of(run: Moving, step: RemindStep) -> datetime | None:
    """The day until which to keep in touch; None where none is known."""
    if step.period is not None:
        return add(run.at, step.period, run.where)
    value = compile_expression(step.until or "").evaluate(run.names())
    if value is Empty or value is None:
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return at_local(datetime.combine(value, MORNING), run.where)
    raise EvaluationError("not-a-date")
