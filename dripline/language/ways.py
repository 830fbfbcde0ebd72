"""What is known on each way through a journey: the conditions that a lead must have met to get there.

The lead, the event and the clock may be different after any wait; the event that the lead entered by, and what
steps have named, stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dripline.language.changing import EnrollStep, SetStep, UnenrollStep, UpdateStep
from dripline.language.constraints import Begin, Domain, State, holding
from dripline.language.expressions import tree_of
from dripline.language.model import Journey
from dripline.language.naming import blocks, every_step, step_ids
from dripline.language.people import AssignStep, TaskStep
from dripline.language.policies import may_be_held
from dripline.language.positions import Loc
from dripline.language.steps import (
    BranchStep,
    DelayUntilStep,
    DiscountStep,
    ElseArm,
    EmailStep,
    IncludeStep,
    NotifyStep,
    ReferralStep,
    RepeatStep,
    SmsStep,
    SplitStep,
    Step,
    Steps,
    StopStep,
    SurveyStep,
    WaitForStep,
)
from dripline.language.surveys.answers import ANSWERED
from dripline.language.value_types import names_of, types_at
from dripline.language.workspace import Workspace

_ROOT = re.compile(r"\w*")
_FLEETING = frozenset({"lead", "event", "now", "today"})
_AT_ONCE = (
    DiscountStep,
    ReferralStep,
    AssignStep,
    TaskStep,
    NotifyStep,
    SetStep,
    UpdateStep,
    EnrollStep,
    UnenrollStep,
    SplitStep,
    IncludeStep,
)
"""Steps that take no time themselves."""
ENROLLED = "journey.enrolled"
"""The name of the event by which a lead enters past the trigger."""
MAX_WAYS = 32
"""States that are followed through steps; where there are more, nothing is known."""

States = list[State]


def begin_of(journey: Journey, workspace: Workspace) -> Begin:
    """What each path of a journey can be, as its type tells."""
    types = types_at(journey, workspace)

    def begin(key: str) -> Domain:
        declared = types.declared(key) if " " not in key else None
        if declared is not None and set(declared) == {"boolean"}:
            return Domain(only=frozenset({True, False}))
        return Domain(whole=declared is not None and set(declared) == {"integer"})

    return begin


def met(state: State, events: tuple[str, ...], root: str = "event") -> State:
    """The state in which one of those events has come."""
    names = Domain(empty=False, only=frozenset(events))
    gone = state.without(lambda key: root_of(key) == root)
    return replace(gone, known={**gone.known, f"{root}.name": names}) if events else gone


def root_of(key: str) -> str:
    """The name that a path begins with."""
    match = _ROOT.match(key)
    return match[0] if match else ""


def copied(state: State, name: str) -> State:
    """The state in which the event has a name, too."""
    known = {key: domain for key, domain in state.known.items() if root_of(key) != name}
    named = {name + key[len("event") :]: domain for key, domain in known.items() if root_of(key) == "event"}
    return replace(state, known={**known, **named})


def lasting(states: States, *names: str) -> States:
    """What is still known after a wait, and after steps that give those names anew."""
    gone = _FLEETING.union(names)
    return [state.without(lambda key: root_of(key) in gone) for state in states]


def without(states: States, *names: str) -> States:
    """What is known of everything but those names."""
    return [state.without(lambda key: root_of(key) in names) for state in states]


@dataclass
class Ways:
    """A walk through the steps of a journey, with what is known on each way."""

    journey: Journey
    workspace: Workspace
    begin: Begin
    targets: frozenset[Loc] = frozenset()
    """The steps that others skip to."""
    before: dict[Loc, States] = field(default_factory=dict)
    """What is known where each step is done."""
    dead: list[tuple[Loc, str | None]] = field(default_factory=list)
    """Where conditions stand that never hold on the way to them, and which; None for an `else`."""

    def block(self, steps: Steps, loc: Loc, states: States) -> States:
        """Walk through steps in a row; what is known after them, no state where no way leads on."""
        for number, step in enumerate(steps):
            here = (*loc, number)
            if here in self.targets or not states or len(states) > MAX_WAYS:
                states = [State(self.begin, {})]
            states = self.step(step, here, states)
        return states

    def step(self, step: Step, loc: Loc, states: States) -> States:
        """Walk through a step; what is known after it."""
        passed: States = []
        if step.if_ is not None:
            passed = holding(tree_of(step.if_), states, False)
            states = self.narrowed((*loc, "if"), step.if_, states)
        self.before[loc] = states
        if isinstance(step, StopStep):
            return passed
        if isinstance(step, BranchStep):
            return passed + self.branch(step, loc, states)
        if isinstance(step, WaitForStep):
            return passed + self.wait(step, loc, states)
        if isinstance(step, SurveyStep):
            return passed + self.survey(step, loc, states)
        at_once = isinstance(step, _AT_ONCE)
        if isinstance(step, (EmailStep, SmsStep)):
            at_once = not may_be_held(self.journey, self.workspace, step.message)
        names = (*names_of(step), *(("lead",) if isinstance(step, UpdateStep) else ()))
        return passed + self.inner(step, loc, without(states, *names) if at_once else lasting(states, *names))

    def inner(self, step: Step, loc: Loc, states: States) -> States:
        """The ways within any other step: where it does not lead straight into them, they are gone again and again."""
        straight = isinstance(step, (SplitStep, IncludeStep))
        if isinstance(step, RepeatStep) and step.repeat.until is not None:
            given = {name for _, one in every_step(step.repeat.steps) for name in names_of(one)}
            self.narrowed((*loc, "repeat", "until"), step.repeat.until, lasting(states, *given))
        out = [] if straight and any(blocks(loc, step)) else states
        for where, steps, _ in blocks(loc, step):
            given = {name for _, one in every_step(steps) for name in names_of(one)}
            start = states if straight or isinstance(step, (EmailStep, SmsStep)) else lasting(states, *given)
            out = out + self.block(steps, where, start)
        return out

    def narrowed(self, loc: Loc, source: str, states: States) -> States:
        """The states in which the condition holds; all of them, and a note, where there is none."""
        found = holding(tree_of(source), states)
        if not found:
            self.dead.append((loc, source))
        return found or [State(self.begin, {})]

    def branch(self, step: BranchStep, loc: Loc, states: States) -> States:
        """The ways of a branch: each knows that those before it did not hold."""
        out: States = []
        for number, arm in enumerate(step.branch):
            here = (*loc, "branch", number)
            if isinstance(arm, ElseArm):
                if not states:
                    self.dead.append(((*here, "else"), None))
                after, alive = self.block(arm.else_, (*here, "else"), states), bool(states)
                states = []
            else:
                alive = bool(holding(tree_of(arm.when), states))
                begun = self.narrowed((*here, "when"), arm.when, states)
                after = self.block(arm.steps, (*here, "steps"), begun)
                states = holding(tree_of(arm.when), states, False)
            out += after if alive else []
        return out + states

    def wait(self, step: WaitForStep, loc: Loc, states: States) -> States:
        """The ways of a wait: the event that came met the filter."""
        later = lasting(states)
        came = [met(state, step.wait_for.event) for state in later]
        if step.filter is not None:
            where = (*loc, "when") if step.when is not None else (*loc, "wait_for", "when")
            came = self.narrowed(where, step.filter, came)
        came = without(came, "lead", "now", "today")
        if step.as_ is not None:
            came = [copied(state, step.as_) for state in came]
        out = came if step.then is None else self.block(step.then, (*loc, "then"), came)
        timed_out = later if step.else_ is None else self.block(step.else_, (*loc, "else"), later)
        return out + timed_out if step.ends else out

    def survey(self, step: SurveyStep, loc: Loc, states: States) -> States:
        """The ways of a survey: whoever goes on behind an answer has given one."""
        channel, message = step.survey.message
        later = lasting(self.block(message, (*loc, "survey", channel), states))
        came = without([met(state, (ANSWERED,)) for state in later], "lead", "now", "today")
        if step.as_ is not None:
            came = [copied(state, step.as_) for state in came]
        out = came if step.then is None else self.block(step.then, (*loc, "then"), came)
        return out + (later if step.else_ is None else self.block(step.else_, (*loc, "else"), later))


def ways_of(journey: Journey, workspace: Workspace) -> Ways:
    """The walk through the journey's steps."""
    begin = begin_of(journey, workspace)
    ways = Ways(journey, workspace, begin, frozenset(_targets(journey)))
    states = [met(State(begin, {}), journey.trigger.event)]
    if journey.trigger.when is not None:
        states = ways.narrowed(("trigger", "when"), journey.trigger.when, states)
    states = [*states, _enrolled(State(begin, {}), journey, workspace)]
    ways.block(journey.steps, ("steps",), [copied(state, "trigger") for state in states])
    return ways


def _enrolled(state: State, journey: Journey, workspace: Workspace) -> State:
    """Who is let in by hand, or by another journey, comes past the trigger: its event has no properties."""
    names = {name for event in journey.trigger.event for name in workspace.events.get(event, {})}
    lacking = {f"event.{name}": state.of(f"event.{name}").lacking() for name in names}
    return replace(met(state, (ENROLLED,)), known={**met(state, (ENROLLED,)).known, **lacking})


def _targets(journey: Journey) -> Iterator[Loc]:
    """The steps that others skip to."""
    places = {id_: loc for loc, id_ in step_ids(journey.steps).items()}
    for _, step in every_step(journey.steps):
        if isinstance(step, DelayUntilStep):
            for rule in (step.delay_until.if_missing, step.delay_until.if_past):
                if rule is not None and rule.to in places:
                    yield places[rule.to]
