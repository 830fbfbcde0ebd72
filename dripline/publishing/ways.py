"""Which steps of a plan lie ahead of a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

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


class Ways:
    """The ways through a plan, whatever the conditions on them come to."""

    def __init__(self, plan: Plan) -> None:
        self._steps = plan.by_id
        self._ahead: dict[str, frozenset[str]] = {}

    def ahead(self, step: str) -> frozenset[str]:
        """Ids of the steps that a run may come to after it has left the step; in a loop, that one too."""
        known = self._ahead.get(step)
        if known is None:
            found: set[str] = set()
            waiting = list(leads_to(self._steps[step]))
            while waiting:
                here = waiting.pop()
                if here not in found:
                    found.add(here)
                    waiting += leads_to(self._steps[here])
            known = self._ahead[step] = frozenset(found)
        return known


def leads_to(step: Step) -> list[str]:
    """Ids of the steps that may follow at once."""
    found = [*_ways(step), *([step.next] if step.condition else [])]
    return [id_ for id_ in found if id_ is not None]


def _ways(step: Step) -> Iterator[str | None]:
    match step:
        case MessageStep():
            yield from (step.next, step.fallback)
        case DelayUntilStep():
            yield from (step.next, step.if_missing.to, step.if_past.to)
        case WaitForStep():
            yield step.then
            if step.timeout is not None or step.until is not None:
                yield step.otherwise
        case BranchStep():
            yield from (arm.to for arm in step.arms)
            if all(arm.when is not None for arm in step.arms):
                yield step.next
        case SplitStep():
            yield from (arm.to for arm in step.arms)
        case RepeatStep():
            yield from (step.first, step.next)
        case SetStep():
            yield step.next if step.included is None else step.then
        case RemindStep():
            yield from (step.message, step.on_day, step.next)
        case StopStep():
            return
        case (
            DelayStep()
            | UpdateStep()
            | EnrollStep()
            | UnenrollStep()
            | WebhookStep()
            | CallStep()
            | DiscountStep()
            | ReferralStep()
            | AssignStep()
            | TaskStep()
            | NotifyStep()
        ):
            yield step.next
        case _:
            assert_never(step)
