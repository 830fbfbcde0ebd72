"""Where each step leads: the ways on from it, in the words of the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from dripline.drawing.text import shorten
from dripline.language.durations import say_duration
from dripline.language.labels import say_events, say_moment
from dripline.language.plan import (
    AssignStep,
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    EnrollStep,
    MessageStep,
    NotifyStep,
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

LABEL = 30
"""Characters of a way's label."""


@dataclass(frozen=True)
class Way:
    """A way on from a step. `to` None ends the run as finished."""

    label: str
    """Empty where there is nothing to choose."""
    to: str | None
    returns: bool = False
    """Whether it comes back to the step."""
    straight: bool = False
    """Whether it is the usual way, that the others leave."""


def ways(step: Step) -> tuple[Way, ...]:
    """The ways that meet again at `step.next`; none where the step just leads there, or ends the run."""
    found = _own(step)
    return (*found, Way("passed over", step.next)) if found and step.condition else found


def jumps(step: Step) -> tuple[Way, ...]:
    """The ways that lead past all that follows, to a step further on."""
    if not isinstance(step, DelayUntilStep):
        return ()
    rules = (("no date", step.if_missing), ("it is past", step.if_past))
    return tuple(Way(why, rule.to) for why, rule in rules if rule.do == "skip")


def ends(step: Step) -> bool:
    """Whether no lead goes on from it."""
    return isinstance(step, StopStep) and step.condition is None


def _own(step: Step) -> tuple[Way, ...]:
    match step:
        case MessageStep():
            if step.fallback is None:
                return ()
            return Way("can be sent", step.next, straight=True), Way("cannot be sent", step.fallback)
        case WaitForStep():
            return _of_wait(step)
        case BranchStep():
            arms = tuple(Way(shorten(arm.when, LABEL) if arm.when else "else", arm.to) for arm in step.arms)
            return arms if any(arm.when is None for arm in step.arms) else (*arms, Way("else", step.next))
        case SplitStep():
            return tuple(Way(shorten(f"{arm.percent:g}% {arm.name}", LABEL), arm.to) for arm in step.arms)
        case RepeatStep():
            return Way("each pass", step.first, returns=True), Way(_end(step), step.next, straight=True)
        case RemindStep():
            return _of_remind(step)
        case SetStep():
            return (Way("", step.then),) if step.included and step.then != step.next else ()
        case (
            DelayStep()
            | DelayUntilStep()
            | UpdateStep()
            | EnrollStep()
            | UnenrollStep()
            | StopStep()
            | WebhookStep()
            | CallStep()
            | DiscountStep()
            | ReferralStep()
            | AssignStep()
            | TaskStep()
            | NotifyStep()
        ):
            return ()
        case _:
            assert_never(step)


def _of_wait(step: WaitForStep) -> tuple[Way, ...]:
    name = say_events(step.on)
    came = Way(f"{name} comes" if len(name) <= LABEL - 6 else "it comes", step.then)
    if step.timeout is None and step.until is None:
        return (came,) if step.then != step.next else ()
    if step.then == step.otherwise == step.next:
        return ()
    late = f"not in {say_duration(step.timeout)}" if step.timeout else "not by then"
    return came, Way(late, step.otherwise)


def _of_remind(step: RemindStep) -> tuple[Way, ...]:
    found = []
    if step.message is not None:
        found.append(Way(f"every {say_duration(step.every)}", step.message, returns=True))
    found.append(Way("on the day", step.on_day if step.on_day is not None else step.next, straight=True))
    if step.unless is not None:
        name = say_events(step.unless)
        found.append(Way(f"{name} comes" if len(name) <= LABEL - 6 else "one of them comes", step.next))
    return tuple(found)


def _end(step: RepeatStep) -> str:
    times = f"after {step.times} {'pass' if step.times == 1 else 'passes'}" if step.times is not None else ""
    until = f"once {step.until}" if step.until is not None else ""
    return shorten(" or ".join(part for part in (times, until) if part), LABEL)


def say_until(step: WaitForStep) -> str | None:
    """How long a wait lasts at most."""
    if step.until is not None:
        return f"until {say_moment(step.until)}"
    return f"at most {say_duration(step.timeout)}" if step.timeout else None
