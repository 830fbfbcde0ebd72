"""Which ways of a journey no scenario takes: the steps, arms, time-outs, exits and languages that nobody has seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dripline.language.labels import say_step
from dripline.language.plan import (
    BranchStep,
    DelayUntilStep,
    EventFilter,
    MessageStep,
    Plan,
    RemindStep,
    SplitStep,
    Step,
    WaitForStep,
)
from dripline.simulate.timeline import Entry

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Way:
    """Something that can happen to a lead in the journey. `step` None: at any step, or to the whole run."""

    step: str | None
    said: str
    key: _Key


def ways(plan: Plan) -> Iterator[Way]:
    """Everything that can happen to leads, in the order of the plan."""
    for step in plan.steps:
        yield Way(step.id, f"{say_step(step)}: nobody comes there", ("step", step.id))
        for said, key in _of_step(step):
            yield Way(step.id, f"{say_step(step)}: {said}", key)
    for way in plan.exits:
        when = f", {way.on.when}" if way.on.when else ""
        said = f"nobody leaves by {' or '.join(way.on.events)}{when} ({way.reason})"
        yield Way(None, said, ("exit", way.reason))
    if plan.goal is not None:
        yield Way(None, f"nobody reaches the goal {_events(plan.goal.on)}", ("goal",))
    for locale in sorted({locale for written in plan.templates.values() for locale in written}):
        yield Way(None, f"nobody gets a message in {locale}", ("locale", locale))


def uncovered(plan: Plan, timelines: Iterable[Collection[Entry]]) -> list[Way]:
    """The ways that are in none of these lives. What is behind a step that nobody comes to is not told besides."""
    taken: set[_Key] = set()
    for timeline in timelines:
        for entry in timeline:
            if entry.journey == plan.journey:
                taken.update(_keys(entry))
    missing = [way for way in ways(plan) if way.key not in taken]
    unseen = {way.step for way in missing if way.key[0] == "step"}
    return [way for way in missing if way.key[0] == "step" or way.step is None or way.step not in unseen]


def _of_step(step: Step) -> Iterator[tuple[str, _Key]]:
    if step.condition:
        yield f"nobody passes it over (unless {step.condition})", ("if-false", step.id)
    match step:
        case BranchStep():
            for number, arm in enumerate(step.arms, 1):
                yield f"nobody goes the way {arm.when or 'else'}", ("arm", step.id, number)
            if step.arms[-1].when is not None:
                yield "nobody goes past all its ways", ("arm", step.id, None)
        case SplitStep():
            for share in step.arms:
                yield f"nobody's lot is {share.name}", ("split", step.id, share.name)
        case WaitForStep():
            yield f"{_events(step.on)} never comes", ("accepted", step.id)
            if step.timeout or step.until:
                yield "the time is never up", ("timeout", step.id)
        case DelayUntilStep() if step.moment.date is not None:
            yield "nobody waits", ("waits", step.id)
            if step.if_missing.do != "continue":
                yield "nobody lacks the date", ("no-wait", step.id, "no date")
            if step.if_past.do != "continue":
                yield "for nobody is it past", ("no-wait", step.id, "the moment is past")
        case RemindStep():
            yield "nobody's day comes", ("day-came", step.id)
            if step.unless is not None:
                yield f"{_events(step.unless)} never comes", ("accepted", step.id)
        case MessageStep():
            yield "it is never sent", ("queued", step.id)


def _events(on: EventFilter) -> str:
    return " or ".join(on.events)


def _keys(entry: Entry) -> Iterator[_Key]:
    if entry.letter is not None and entry.letter.content is not None:
        yield "locale", entry.letter.content.locale
    if entry.what == "exit":
        yield "exit", entry.detail["reason"]
    if entry.what == "goal":
        yield ("goal",)
    if entry.step is None:
        return
    yield "step", entry.step
    match entry.what:
        case "branch":
            yield "arm", entry.step, entry.detail["arm"]
        case "split":
            yield "split", entry.step, entry.detail["arm"]
        case "no-wait":
            yield "no-wait", entry.step, entry.detail["reason"]
        case what:
            yield what, entry.step
