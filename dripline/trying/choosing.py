"""What a lead may do now that moves its run: the events that the run listens for, with values that it lets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dripline.engine.calendar import zone_of
from dripline.engine.effects import Event, RunState
from dripline.engine.scope import scope
from dripline.language.expressions import compile_expression
from dripline.language.plan import EventFilter, Plan, RemindStep, WaitForStep
from dripline.language.surveys.answers import ANSWERED
from dripline.language.tracking import MESSAGE_EVENTS, channel_of
from dripline.language.workspace import Workspace
from dripline.trying.acts import UPDATED, Act
from dripline.trying.making_up import Making, fill, holds, said_in
from dripline.trying.starting import below, choices_of_event, choices_of_lead


@dataclass(frozen=True)
class Choice:
    """One event that the run listens for."""

    event: str
    does: str
    """What it would do: `ends the wait`."""
    act: Act | None
    """The event with values that are let through; None where none were found."""
    when: str | None = None
    """What its values must be."""


@dataclass(frozen=True)
class Seen:
    """A run as it is: enough to tell what it listens for."""

    plan: Plan
    state: RunState
    lead: Mapping[str, Any]
    """As conditions see it."""


def choices(seen: Seen, workspace: Workspace, made: Making) -> list[Choice]:
    """What the lead may do, what ends the present wait first."""
    found: list[Choice] = []
    for wanted, does in _listening(seen):
        for event in wanted.events:
            if any(one.event == event and one.when == wanted.when for one in found):
                continue
            find = _update if event == UPDATED else _event
            act = _answer(seen) if event == ANSWERED else None
            act = act or find(seen, workspace, made, event, wanted.when)
            found.append(Choice(event, does, act, wanted.when))
    return found


def _listening(seen: Seen) -> Iterator[tuple[EventFilter, str]]:
    plan = seen.plan
    here = plan.by_id.get(seen.state.step or "")
    if isinstance(here, WaitForStep) and seen.state.wait is not None:
        yield here.on, "ends the wait"
    if isinstance(here, RemindStep) and here.unless:
        yield here.unless, "ends the reminders"
    if plan.goal:
        yield plan.goal.on, "reaches the goal"
    for way_out in plan.exits:
        yield way_out.on, f"leaves: {way_out.reason}"


def _answer(seen: Seen) -> Act | None:
    """The best answer to the survey that the run waits for; None where it waits for none."""
    here = seen.plan.by_id.get(seen.state.step or "")
    if not isinstance(here, WaitForStep) or here.survey is None:
        return None
    survey = seen.plan.surveys[here.survey]
    if survey.kind == "quiz":
        right = {one.id: next(each.key for each in one.choices if each.right) for one in survey.questions}
        return Act(ANSWERED, {"survey": here.survey, "answers": right})
    return Act(ANSWERED, {"survey": here.survey, "answer": survey.first.choices[-1].key})


def _event(seen: Seen, workspace: Workspace, made: Making, event: str, when: str | None) -> Act | None:
    said = said_in(when, _names(seen, made, event, {}, {}))
    choices = choices_of_event(event, _key(seen, workspace, event), workspace, said, made)
    for name in MESSAGE_EVENTS.get(event, ()):
        if name != "run":  # nothing is made up: what is not said is added from the message itself
            choices[f"event.{name}"] = made.candidates(None, "text", said)
    fits = _passes(seen, made, event, when, lambda values: below("event", values))
    found = fill(when, choices, fits)
    return None if found is None else Act(event, below("event", found))


def _key(seen: Seen, workspace: Workspace, event: str) -> dict[str, Any]:
    """The journey's key as the run has it, where the event has one: of another it would not be the run's."""
    if channel_of(event) is not None:
        return {"run": seen.state.id}
    key, trigger = seen.plan.trigger.key, seen.state.trigger
    if key not in workspace.events[event] or trigger is None or key not in trigger.properties:
        return {}
    return {key: trigger.properties[key]}


def _update(seen: Seen, workspace: Workspace, made: Making, event: str, when: str | None) -> Act | None:
    """A change of the lead: one that changes nothing would not be told of."""
    said = said_in(when, _names(seen, made, event, {}, {}))
    now = {name: _now(seen.lead, name) for name in _read_of_lead(when)}
    choices = choices_of_lead(when, now, workspace, said, made)
    choices.setdefault("lead.stage", [seen.lead.get("stage")])
    choices["lead.stage"] = [*choices["lead.stage"], "lead"]
    now = {path: options[0] for path, options in choices.items()}

    def changed(values: Mapping[str, Any]) -> dict[str, Any]:
        return {path.removeprefix("lead."): value for path, value in values.items() if value != now[path]}

    def properties(values: Mapping[str, Any]) -> dict[str, Any]:
        return {"changed": sorted({name.split(".")[0] for name in changed(values)})}

    passes = _passes(seen, made, event, when, properties)
    found = fill(when, choices, lambda values: bool(changed(values)) and passes(values))
    another = {**now, "lead.stage": "lead"}  # where it must only be told of
    if found is None and holds(passes, another):
        found = another
    if found is None:
        return None
    return Act(event, {name: "" if value is None else value for name, value in changed(found).items()})


def _passes(
    seen: Seen,
    made: Making,
    event: str,
    when: str | None,
    properties: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Callable[[Mapping[str, Any]], bool]:
    def passes(values: Mapping[str, Any]) -> bool:
        if when is None:
            return True
        news = {path[5:]: value for path, value in values.items() if path.startswith("lead.")}
        names = _names(seen, made, event, properties(values), news)
        return compile_expression(when).holds(names)

    return passes


def _names(
    seen: Seen, made: Making, event: str, properties: Mapping[str, Any], news: Mapping[str, Any]
) -> dict[str, Any]:
    lead = _laid_over(seen.lead, news)
    where = zone_of(lead.get("timezone"), lead.get("country"), seen.plan.timezone)
    candidate = Event("", event, properties, made.now)
    return scope(seen.plan, lead, seen.state.trigger, candidate, seen.state.variables, made.now, where)


def _laid_over(lead: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """The lead with `consent.email` and the like as they would be."""
    after = dict(lead)
    for name, value in news.items():
        first, _, rest = name.partition(".")
        after[first] = {**(after.get(first) or {}), rest: value} if rest else value
    return after


def _read_of_lead(when: str | None) -> list[str]:
    names = compile_expression(when).names if when else frozenset()
    return [name.removeprefix("lead.") for name in names if name.startswith("lead.")]


def _now(lead: Mapping[str, Any], name: str) -> Any:
    first, _, rest = name.partition(".")
    value = lead.get(first)
    return value.get(rest) if rest and isinstance(value, Mapping) else value


__all__ = ["Choice", "Seen", "choices"]
