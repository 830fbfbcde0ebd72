"""Every expression that a journey holds, and which events those that are filters are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.reading import expressions_of
from dripline.language.steps import RemindStep, WaitForStep


@dataclass(frozen=True)
class Said:
    """An expression, where the value stands that holds it, and where (from 0) in the value it begins."""

    loc: Loc
    source: str
    begins: int = 0
    events: tuple[str, ...] | None = None
    """The events in question, where it is a filter."""


def filters_of(look: Look) -> Iterator[Said]:
    """The conditions on events that come: of the trigger, the goal, exits, waits and reminders."""
    journey = look.journey
    if journey.trigger.when is not None:
        yield Said(("trigger", "when"), journey.trigger.when, events=journey.trigger.event)
    if journey.goal is not None and journey.goal.when is not None:
        yield Said(("goal", "when"), journey.goal.when, events=journey.goal.event)
    for number, exit_ in enumerate(journey.exit):
        if exit_.when is not None:
            yield Said(("exit", number, "when"), exit_.when, events=exit_.event)
    for loc, step in every_step(journey.steps):
        if isinstance(step, WaitForStep) and step.filter is not None:
            where: Loc = ("when",) if step.when is not None else ("wait_for", "when")
            yield Said((*loc, *where), step.filter, events=step.wait_for.event)
        if isinstance(step, RemindStep) and step.remind.unless_when is not None:
            said = step.remind
            yield Said((*loc, "remind", "unless_when"), said.unless_when or "", events=said.unless)


def every_expression(look: Look) -> Iterator[Said]:
    """All of them, filters first."""
    yield from filters_of(look)
    goal = look.journey.goal
    if goal is not None and goal.value is not None:
        yield Said(("goal", "value"), goal.value, events=goal.event)
    for loc, step in every_step(look.journey.steps):
        for where, begins, source in expressions_of(step):
            yield Said((*loc, *where), source, begins)
