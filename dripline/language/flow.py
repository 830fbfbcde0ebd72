"""Which ways lead to a step, and what is surely known there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dripline.language.changing import SetStep
from dripline.language.people import ASSIGN_RESULT, TASK_RESULT, AssignStep, TaskStep
from dripline.language.positions import Loc
from dripline.language.steps import (
    BranchStep,
    CallStep,
    DelayUntilStep,
    DiscountStep,
    ElseArm,
    EmailStep,
    IncludeStep,
    ReferralStep,
    RemindStep,
    RepeatStep,
    SmsStep,
    SplitStep,
    Step,
    Steps,
    StopStep,
    SurveyStep,
    WaitForStep,
    WebhookStep,
)
from dripline.language.surveys.answers import ANSWERED
from dripline.language.workspace import Workspace

MESSAGE_RESULT = frozenset({"sent", "skipped", "reason"})
"""What the result of a message has."""

WEBHOOK_RESULT = frozenset({"ok", "status", "json", "text", "skipped", "reason"})
"""What the answer to a webhook may have."""

CALL_RESULT = frozenset({"ok", "result", "skipped", "reason"})
"""What the answer of a function has."""

REFERRAL_RESULT = frozenset({"code", "link", "qr", "skipped", "reason"})
"""What is known of a lead's way to bring friends."""

REMIND_RESULT = frozenset({"outcome", "event", "reminders"})
"""What is known of reminders that are over."""
SURVEY = frozenset({"name", "question", "answers", "low", "high", "comment", "page"})
"""What the message that asks a survey reads of it."""
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
    places: Mapping[str, Loc] = field(default_factory=dict)
    """Where the step of each id stands."""
    skips: dict[Loc, list[Names | None]] = field(default_factory=dict)
    """The steps ahead that are skipped to, and what is known there of each way."""
    ever: dict[str, frozenset[str]] = field(default_factory=dict)
    """Every name that is set anywhere."""

    def block(self, steps: Steps, loc: Loc, names: Names) -> Names | None:
        """Walk through steps in a row; the names after them, None if no way leads on."""
        out: Names | None = names
        for number, step in enumerate(steps):
            out = meet([out, *self.skips.pop((*loc, number), [])])
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
        elif isinstance(step, DelayUntilStep):
            out = self.delay_until(step, names)
        elif isinstance(step, BranchStep):
            out = self.branch(step, loc, names)
        elif isinstance(step, (EmailStep, SmsStep)):
            out = names if step.as_ is None else self.named(step.as_, MESSAGE_RESULT, names)
            if step.message.fallback is not None:
                verb = "email" if isinstance(step, EmailStep) else "sms"
                self.block(step.message.fallback, (*loc, verb, "fallback"), names)
        elif isinstance(step, RemindStep):
            out = self.remind(step, loc, names)
        elif isinstance(step, SurveyStep):
            out = self.survey(step, loc, names)
        elif isinstance(step, WebhookStep) and step.as_ is not None:
            out = self.named(step.as_, WEBHOOK_RESULT, names)
        elif isinstance(step, CallStep) and step.as_ is not None:
            out = self.named(step.as_, CALL_RESULT, names)
        elif isinstance(step, DiscountStep) and step.as_ is not None:
            out = self.named(step.as_, step.discount.has, names)
        elif isinstance(step, ReferralStep) and step.as_ is not None:
            out = self.named(step.as_, REFERRAL_RESULT, names)
        elif isinstance(step, AssignStep) and step.as_ is not None:
            out = self.named(step.as_, ASSIGN_RESULT, names)
        elif isinstance(step, TaskStep) and step.as_ is not None:
            out = self.named(step.as_, TASK_RESULT, names)
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
        else:
            out = names
        return out if step.if_ is None else meet([names, out])

    def remind(self, step: RemindStep, loc: Loc, names: Names) -> Names:
        """The messages of a `remind`, and what is known of it behind."""
        if step.remind.with_ is not None:
            self.block(step.remind.with_, (*loc, "remind", "with"), names)
        after = names if step.as_ is None else self.named(step.as_, REMIND_RESULT, names)
        if step.remind.on_day is not None:
            self.block(step.remind.on_day, (*loc, "remind", "on_day"), after)
        return after

    def wait(self, step: WaitForStep, loc: Loc, names: Names) -> Names | None:
        """The ways of a wait."""
        there = names
        if step.as_ is not None:
            properties = (self.workspace.events.get(event, {}) for event in step.wait_for.event)
            there = self.named(step.as_, frozenset({"name"}).union(*properties), names)
        ways = [there if step.then is None else self.block(step.then, (*loc, "then"), there)]
        timed_out = names if step.else_ is None else self.block(step.else_, (*loc, "else"), names)
        if step.ends:
            ways.append(timed_out)
        elif step.else_ is not None:
            self.unreachable.append((*loc, "else"))
        return meet(ways)

    def survey(self, step: SurveyStep, loc: Loc, names: Names) -> Names | None:
        """The message that asks, and the ways of those who answer and of those who do not."""
        channel, message = step.survey.message
        self.block(message, (*loc, "survey", channel), {**names, "survey": SURVEY})
        there = names
        if step.as_ is not None:
            there = self.named(step.as_, frozenset({"name", *self.workspace.events[ANSWERED]}), names)
        ways = [there if step.then is None else self.block(step.then, (*loc, "then"), there)]
        ways.append(names if step.else_ is None else self.block(step.else_, (*loc, "else"), names))
        return meet(ways)

    def delay_until(self, step: DelayUntilStep, names: Names) -> Names:
        """A wait for a moment, which may skip to a later step."""
        for rule in (step.delay_until.if_missing, step.delay_until.if_past):
            if rule is not None and rule.to is not None and rule.to in self.places:
                self.skips.setdefault(self.places[rule.to], []).append(names)
        return names

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
