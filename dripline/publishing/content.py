"""What a step does, apart from its name and from what comes before and after it."""

from __future__ import annotations

from typing import Any

from dripline.language.plan import (
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    EnrollStep,
    MessageStep,
    NotifyStep,
    Plan,
    SplitStep,
    Step,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
    WebhookStep,
)

_POINTERS = {"id", "next", "then", "otherwise", "fallback", "first", "within", "message", "on_day"}

RESTS = (DelayStep, DelayUntilStep, WaitForStep)
"""The steps at which a run does nothing but wait."""

TELLS = (MessageStep, NotifyStep, DiscountStep, WebhookStep, CallStep, EnrollStep)
"""The steps that somebody notices: done twice or left out, they matter."""

DOES = (*TELLS, UpdateStep)
"""The steps that must not be done again."""


def content(step: Step) -> dict[str, Any]:
    """Everything that the author said of the step but its id and where it leads."""
    said: dict[str, Any] = {
        name: getattr(step, name) for name in type(step).model_fields if name not in _POINTERS
    }
    if isinstance(step, BranchStep):
        said["arms"] = tuple(arm.when for arm in step.arms)
    elif isinstance(step, SplitStep):
        said["arms"] = tuple((arm.name, arm.percent) for arm in step.arms)
    elif isinstance(step, DelayUntilStep):
        said |= {"if_missing": step.if_missing.do, "if_past": step.if_past.do}
    elif isinstance(step, NotifyStep) and step.template.startswith("#"):
        said["template"] = None  # a text of its own, kept under the id
    return said


def kind(step: Step) -> tuple[Any, ...]:
    """What sort of thing it is: two steps of one kind may well be one step that was edited."""
    match step:
        case MessageStep():
            return step.verb, step.channel, step.template
        case WaitForStep():
            return step.verb, step.on.events
        case NotifyStep():
            return step.verb, step.to
        case CallStep():
            return step.verb, step.function
        case EnrollStep() | UnenrollStep():
            return step.verb, step.journey
        case _:
            return (step.verb,)


def texts(plan: Plan, step: Step) -> Any:
    """The templates of a message, by locale."""
    if isinstance(step, MessageStep):
        return plan.templates.get(f"{step.channel}:{step.template}")
    return plan.templates.get(step.template) if isinstance(step, NotifyStep) else None
