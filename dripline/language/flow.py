"""Which ways lead to a step, and what is surely known there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dripline.language.changing import SetStep
from dripline.language.positions import Loc
from dripline.language.steps import (
    BranchStep,
    ElseArm,
    EmailStep,
    IncludeStep,
    RepeatStep,
    SmsStep,
    SplitStep,
    Step,
    Steps,
    StopStep,
    WaitForStep,
)
from dripline.language.workspace import Workspace

MESSAGE_RESULT = frozenset({"sent", "skipped", "reason"})
"""What the result of a message has."""

ANYTHING = "*"
"""Stands among what a name has where that is not known."""

Names = Mapping[str, frozenset[str]]
"""Names that are set on every way to a place, each with what it has."""


@dataclass
class Flow:
    """A walk through the steps of a journey."""

    workspace: Workspace
    visits: list[tuple[Loc, Step, Names]] = field(default_factory=list)
    """Every step, and the names that are set before it on every way."""
    unreachable: list[Loc] = field(default_factory=list)
    """Steps that follow an end."""
    ever: dict[str, frozenset[str]] = field(default_factory=dict)
    """Every name that is set anywhere."""

    def block(self, steps: Steps, loc: Loc, names: Names) -> Names | None:
        """Walk through steps in a row; the names after them, None if no way leads on."""
        out: Names | None = names
        for number, step in enumerate(steps):
            if out is None:
                self.unreachable.append((*loc, number))
                out = names
            names = out
            out = self.step(step, (*loc, number), names)
        return out

    def step(self, step: Step, loc: Loc, names: Names) -> Names | None:
        """Walk through a step; the names after it, None if no way leads on."""
        self.visits.append((loc, step, names))
        if isinstance(step, StopStep):
            out: Names | None = None
        elif isinstance(step, WaitForStep):
            out = self.wait(step, loc, names)
        elif isinstance(step, BranchStep):
            out = self.branch(step, loc, names)
        elif isinstance(step, SplitStep):
            out = meet(
                [
                    self.block(arm.steps, (*loc, "split", number, "steps"), names)
                    for number, arm in enumerate(step.split)
                ]
            )
        elif isinstance(step, RepeatStep):
            out = self.repeat(step, loc, names)
        elif isinstance(step, IncludeStep):
            inner = names
            for name in step.include.with_:
                inner = self.named(name, frozenset({ANYTHING}), inner)
            out = self.block(step.body, (*loc, "include", "steps"), inner)
        elif isinstance(step, SetStep):
            out = names
            for name in step.set:
                out = self.named(name, frozenset({ANYTHING}), out)
        elif isinstance(step, (EmailStep, SmsStep)) and step.as_ is not None:
            out = self.named(step.as_, MESSAGE_RESULT, names)
        else:
            out = names
        return out if step.if_ is None else meet([names, out])

    def wait(self, step: WaitForStep, loc: Loc, names: Names) -> Names | None:
        """The ways of a wait."""
        there = names
        if step.as_ is not None:
            properties = (self.workspace.events.get(event, {}) for event in step.wait_for.event)
            there = self.named(step.as_, frozenset({"name"}).union(*properties), names)
        ways = [there if step.then is None else self.block(step.then, (*loc, "then"), there)]
        timed_out = names if step.else_ is None else self.block(step.else_, (*loc, "else"), names)
        if step.length is not None:
            ways.append(timed_out)
        elif step.else_ is not None:
            self.unreachable.append((*loc, "else"))
        return meet(ways)

    def branch(self, step: BranchStep, loc: Loc, names: Names) -> Names | None:
        """The ways of a branch."""
        ways: list[Names | None] = []
        for number, arm in enumerate(step.branch):
            here = (*loc, "branch", number)
            if isinstance(arm, ElseArm):
                ways.append(self.block(arm.else_, (*here, "else"), names))
            else:
                ways.append(self.block(arm.steps, (*here, "steps"), names))
        if not isinstance(step.branch[-1], ElseArm):
            ways.append(names)
        return meet(ways)

    def repeat(self, step: RepeatStep, loc: Loc, names: Names) -> Names | None:
        """A loop: the first pass knows what stood before it; with `until` there may be no pass at all."""
        after = self.block(step.repeat.steps, (*loc, "repeat", "steps"), names)
        return after if step.repeat.until is None else meet([names, after])

    def named(self, name: str, has: frozenset[str], names: Names) -> Names:
        """The names and one more."""
        self.ever[name] = self.ever.get(name, frozenset()) | has
        return {**names, name: has}


def meet(ways: list[Names | None]) -> Names | None:
    """What is known where ways meet: the names of all that get there."""
    open_ways = [way for way in ways if way is not None]
    if not open_ways:
        return None
    shared = set(open_ways[0]).intersection(*open_ways[1:])
    return {name: frozenset().union(*(way[name] for way in open_ways)) for name in sorted(shared)}
