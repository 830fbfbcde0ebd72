"""The expressions that a step holds, and where each stands in it."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.changing import SetStep, UpdateStep, expression_in
from dripline.language.positions import Loc
from dripline.language.steps import (
    BranchStep,
    DelayUntilStep,
    IncludeStep,
    RemindStep,
    RepeatStep,
    Step,
    WaitForStep,
    WhenArm,
)

Read = tuple[Loc, int, str]
"""Where the value stands (within the step), where in it the expression begins (from 0), and the expression."""


def expressions_of(step: Step) -> Iterator[Read]:
    """Those that read the names that are set before the step: not the filter on an event."""
    if step.if_ is not None:
        yield ("if",), 0, step.if_
    if isinstance(step, BranchStep):
        for number, arm in enumerate(step.branch):
            if isinstance(arm, WhenArm):
                yield ("branch", number, "when"), 0, arm.when
    elif isinstance(step, DelayUntilStep):
        if step.delay_until.expression:
            yield ("delay_until", "date"), 0, step.delay_until.expression
    elif isinstance(step, WaitForStep):
        if step.moment and step.moment.expression:
            where: Loc = ("until",) if step.until is not None else ("wait_for", "until")
            yield (*where, "date"), 0, step.moment.expression
    elif isinstance(step, RemindStep):
        if step.remind.until is not None:
            yield ("remind", "until"), 0, step.remind.until
    elif isinstance(step, RepeatStep):
        if step.repeat.until is not None:
            yield ("repeat", "until"), 0, step.repeat.until
    elif isinstance(step, SetStep):
        for name, source in step.set.items():
            yield ("set", name), 0, source
    elif isinstance(step, IncludeStep):
        for name, source in step.include.with_.items():
            yield ("include", "with", name), 0, source
    elif isinstance(step, UpdateStep):
        for loc, text in update_values(step):
            found = expression_in(text)
            if found is not None:
                yield ("update", *loc), *found


def update_values(step: UpdateStep) -> Iterator[tuple[Loc, str]]:
    """The texts that an update gives to fields, and where each stands in it."""
    said = step.update
    if said.stage is not None:
        yield ("stage",), said.stage
    if said.stage_reason is not None:
        yield ("stage_reason",), said.stage_reason
    if said.score is not None:
        if said.score.add is not None:
            yield ("score", "add"), said.score.add
        if said.score.set_ is not None:
            yield ("score", "set"), said.score.set_
    for name, value in said.attributes.items():
        if isinstance(value, str):
            yield (name,), value
