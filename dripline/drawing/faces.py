"""What stands in the box of a step: an icon, what it does, and what is to be known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from dripline.drawing.ways import say_until
from dripline.language.durations import say_duration
from dripline.language.labels import say_step
from dripline.language.money import to_major
from dripline.language.plan import (
    AssignStep,
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    EnrollStep,
    LeadValue,
    MessageStep,
    NotifyStep,
    Otherwise,
    Plan,
    ReferralStep,
    RemindStep,
    RepeatStep,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    TaskStep,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
    WebhookStep,
)

Icon = Literal[
    "email", "sms", "clock", "calendar", "ear", "fork", "dice", "loop", "pencil", "person", "enter", "leave",
    "flag", "plug", "gift", "bell", "heart", "block", "start", "goal", "exit",
]  # fmt: skip


@dataclass(frozen=True)
class Count:
    """How many runs stand at a step now, and how many have gone on from it."""

    here: int = 0
    passed: int = 0


@dataclass(frozen=True)
class Face:
    """The words and the icon of a step's box."""

    icon: Icon
    title: str
    details: tuple[str, ...] = ()


def face(step: Step, plan: Plan) -> Face:
    """How a step of the plan looks."""
    only_if = (f"only if {step.condition}",) if step.condition else ()
    return Face(_icon(step), say_step(step), (*only_if, *_details(step, plan)))


def _icon(step: Step) -> Icon:
    match step:
        case MessageStep():
            return step.channel
        case DelayStep():
            return "clock"
        case DelayUntilStep():
            return "calendar"
        case WaitForStep():
            return "ear"
        case BranchStep():
            return "fork"
        case SplitStep():
            return "dice"
        case RepeatStep():
            return "loop"
        case SetStep():
            return "ear" if step.survey else "block" if step.included else "pencil"
        case UpdateStep():
            return "person"
        case EnrollStep():
            return "enter"
        case UnenrollStep():
            return "leave"
        case StopStep():
            return "flag"
        case WebhookStep() | CallStep():
            return "plug"
        case DiscountStep():
            return "gift"
        case ReferralStep():
            return "person"
        case AssignStep():
            return "person"
        case TaskStep():
            return "bell"
        case NotifyStep():
            return "bell"
        case RemindStep():
            return "heart"
        case _:
            assert_never(step)


def _details(step: Step, plan: Plan) -> Iterator[str]:
    match step:
        case MessageStep():
            if step.transactional:
                yield "transactional"
            if step.sender:
                yield f"from {step.sender}"
            if step.expires:
                yield f"not more than {say_duration(step.expires)} late"
        case WaitForStep():
            if step.on.when:
                yield f"if {step.on.when}"
            yield from filter(None, [say_until(step)])
        case DelayUntilStep():
            yield from _rule("no date", step.if_missing, plan)
            yield from _rule("past", step.if_past, plan)
        case DiscountStep():
            yield from _discount(step)
        case UpdateStep():
            yield from _changes(step)
        case RepeatStep():
            if step.until:
                yield f"until {step.until}"
        case RemindStep():
            yield f"about: {step.about}"
            yield (
                f"until {step.until}"
                if step.until
                else f"for {say_duration(step.period)}"
                if step.period
                else ""
            )
        case SetStep():
            if step.included and step.values:
                yield f"with {', '.join(step.values)}"
        case WebhookStep():
            yield f"{step.method} {step.url}"
        case AssignStep():
            if step.by:
                yield step.by
            if step.react:
                yield f"reacts within {say_duration(step.react)}"
        case TaskStep():
            yield step.title
            if step.due:
                yield f"due in {say_duration(step.due)}"
            if step.escalate_to:
                yield f"then for {step.escalate_to}"
        case NotifyStep():
            if step.subject:
                yield step.subject
        case _:
            return


def _rule(why: str, rule: Otherwise, plan: Plan) -> Iterator[str]:
    if rule.do == "exit":
        yield f"{why}: the run ends"
    elif rule.do == "skip" and rule.to in plan.by_id:
        yield f"{why}: on to “{say_step(plan.by_id[rule.to])}”"


def _discount(step: DiscountStep) -> Iterator[str]:
    if step.valid:
        yield f"valid {say_duration(step.valid)}"
    if step.min_order is not None and step.currency:
        yield f"from {to_major(step.min_order, step.currency):,} {step.currency}"
    if step.most is not None and step.currency:
        yield f"at most {to_major(step.most, step.currency):,} {step.currency}"
    if step.code:
        yield f"code {step.code}"
    if step.pool:
        yield f"pool {step.pool}"
    if step.shop:
        yield f"code of the shop {step.shop}"
    if step.budget:
        yield f"budget {step.budget}"
    if step.once_per == "lead":
        yield "once per lead"


def _changes(step: UpdateStep) -> Iterator[str]:
    if step.stage:
        yield f"stage: {_value(step.stage)}"
    if step.score_add:
        yield f"score: + {_value(step.score_add)}"
    if step.score_set:
        yield f"score: {_value(step.score_set)}"
    if step.tags_add:
        yield f"tag {', '.join(step.tags_add)}"
    if step.tags_remove:
        yield f"no tag {', '.join(step.tags_remove)}"
    for name, value in step.attributes.items():
        yield f"{name}: {_value(value)}"


def _value(given: LeadValue) -> str:
    value: Any = given.expression if given.expression is not None else given.value
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
