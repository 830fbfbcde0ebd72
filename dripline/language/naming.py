"""The ids of steps: the author's own, else derived so that ordinary edits (a shorter delay) do not change them.

A message is named by its channel and template. A wait, a branch or a stop is named by the step before it that has
a name of its own (`after email:welcome/hello`, `branch after …`, `stop after …`, at the beginning `after start`);
the ways of a wait, a branch or a split add `/then`, `/else`, `/arm1`, `/NAME`, a loop `/repeat`.
A second step of one name gets `/2`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from dripline.language.changing import EnrollStep, SetStep, UnenrollStep, UpdateStep
from dripline.language.people import AssignStep, TaskStep
from dripline.language.positions import Loc
from dripline.language.steps import (
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    ElseArm,
    EmailStep,
    IncludeStep,
    NotifyStep,
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

Located = tuple[Loc, Step]


def blocks(loc: Loc, step: Step) -> Iterator[tuple[Loc, Steps, str]]:
    """The ways that begin at a step: where each stands, its steps, and its name."""
    if isinstance(step, EmailStep | SmsStep):
        if step.message.fallback is not None:
            verb = "email" if isinstance(step, EmailStep) else "sms"
            yield (*loc, verb, "fallback"), step.message.fallback, "fallback"
    elif isinstance(step, RemindStep):
        if step.remind.with_ is not None:
            yield (*loc, "remind", "with"), step.remind.with_, "with"
        if step.remind.on_day is not None:
            yield (*loc, "remind", "on_day"), step.remind.on_day, "on-day"
    elif isinstance(step, SurveyStep):
        channel, message = step.survey.message
        yield (*loc, "survey", channel), message, "ask"
        if step.then is not None:
            yield (*loc, "then"), step.then, "then"
        if step.else_ is not None:
            yield (*loc, "else"), step.else_, "else"
    elif isinstance(step, WaitForStep):
        if step.then is not None:
            yield (*loc, "then"), step.then, "then"
        if step.else_ is not None:
            yield (*loc, "else"), step.else_, "else"
    elif isinstance(step, BranchStep):
        for number, arm in enumerate(step.branch):
            if isinstance(arm, ElseArm):
                yield (*loc, "branch", number, "else"), arm.else_, "else"
            else:
                yield (*loc, "branch", number, "steps"), arm.steps, f"arm{number + 1}"
    elif isinstance(step, SplitStep):
        for number, share in enumerate(step.split):
            yield (*loc, "split", number, "steps"), share.steps, share.name
    elif isinstance(step, RepeatStep):
        yield (*loc, "repeat", "steps"), step.repeat.steps, "repeat"
    elif isinstance(step, IncludeStep) and step.body:
        yield (*loc, "include", "steps"), step.body, "include"


def every_step(steps: Steps, loc: Loc = ("steps",)) -> Iterator[Located]:
    """Every step with where it stands, in the order of the file."""
    for number, step in enumerate(steps):
        here = (*loc, number)
        yield here, step
        for where, inner, _ in blocks(here, step):
            yield from every_step(inner, where)


def every_discount(steps: Steps) -> Iterator[tuple[Loc, DiscountStep]]:
    """Every step that gives a discount, with where it stands."""
    for loc, step in every_step(steps):
        if isinstance(step, DiscountStep):
            yield loc, step


def step_ids(steps: Steps, loc: Loc = ("steps",)) -> dict[Loc, str]:
    """The id of every step, by where it stands. Those of an included block begin with the include's own."""
    own = list(_own_steps(steps, loc))
    ids = {here: step.id for here, step in own if step.id is not None}
    taken = set(ids.values())
    for here, stem in _stems(steps, loc, "start"):
        name, count = stem, 1
        while name in taken:
            count += 1
            name = f"{stem}/{count}"
        taken.add(name)
        ids[here] = name
    for here, step in own:
        if isinstance(step, IncludeStep):
            inner = step_ids(step.body, (*here, "include", "steps"))
            ids |= {where: f"{ids[here]}/{name}" for where, name in inner.items()}
    return ids


def _own_steps(steps: Steps, loc: Loc) -> Iterator[Located]:
    """Every step that is written here, and not in an included block."""
    for number, step in enumerate(steps):
        here = (*loc, number)
        yield here, step
        if not isinstance(step, IncludeStep):
            for where, inner, _ in blocks(here, step):
                yield from _own_steps(inner, where)


def _stems(steps: Steps, loc: Loc, before: str) -> Iterator[tuple[Loc, str]]:
    for number, step in enumerate(steps):
        here = (*loc, number)
        if step.id is None:
            yield here, _stem(step, before)
        before = step.id or _own_name(step) or before
        if not isinstance(step, IncludeStep):
            for where, inner, way in blocks(here, step):
                yield from _stems(inner, where, f"{before}/{way}")


def _own_name(step: Step) -> str | None:
    if isinstance(step, EmailStep):
        return f"email:{step.email.template}"
    if isinstance(step, SmsStep):
        return f"sms:{step.sms.template}"
    if isinstance(step, CallStep):
        return f"call:{step.call.function}"
    if isinstance(step, IncludeStep):
        return f"include:{step.include.block}"
    if isinstance(step, SurveyStep):
        return f"survey:{step.survey.ask}"
    return None


def _stem(step: Step, before: str) -> str:
    match step:
        case EmailStep() | SmsStep() | CallStep() | IncludeStep() | SurveyStep():
            return _own_name(step) or before
        case DelayStep() | DelayUntilStep() | WaitForStep():
            return f"after {before}"
        case BranchStep():
            return f"branch after {before}"
        case SplitStep():
            return f"split after {before}"
        case RepeatStep():
            return f"repeat after {before}"
        case UpdateStep():
            return f"update after {before}"
        case SetStep():
            return f"set after {before}"
        case EnrollStep():
            return f"enroll:{step.enroll}"
        case UnenrollStep():
            return f"unenroll:{step.unenroll}"
        case StopStep():
            return f"stop after {before}"
        case RemindStep():
            return f"remind after {before}"
        case AssignStep():
            return f"assign:{step.assign.to}"
        case TaskStep():
            return f"task after {before}"
        case NotifyStep():
            return f"notify {step.notify.to} after {before}"
        case DiscountStep():
            return f"discount after {before}"
        case ReferralStep():
            return f"referral after {before}"
        case WebhookStep():
            return f"webhook after {before}"
        case _:
            assert_never(step)
