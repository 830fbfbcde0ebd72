"""A line of a run's log with what is known of its step, and where a run stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from dripline.language.durations import say_duration
from dripline.language.labels import name_step, say_moment, say_outside
from dripline.language.plan import (
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    MessageStep,
    Plan,
    RemindStep,
    RepeatStep,
    Step,
    WaitForStep,
    WebhookStep,
)


def say_time(at: datetime, where: tzinfo) -> str:
    """A time for people: `2026-03-02 10:00` in that zone, with seconds where there are any."""
    local = at.astimezone(where)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def standing(run: Any, where: tzinfo, plan: Plan | None = None) -> str:
    """Where a run stands, in words: what it waits for, or how it ended; and whether it is of the control group.

    `plan` is the run's own: without it, a step is named by its id.
    """
    return _stands(run, where, plan) + (" (control group)" if run.holdout else "")


def _stands(run: Any, where: tzinfo, plan: Plan | None) -> str:
    if run.ended_at is not None:
        return f"{run.outcome}: {run.outcome_reason}" if run.outcome_reason else str(run.outcome)
    line = Line(run.step or "?", Detail(), where, plan)
    if run.parked_reason:
        return f"stopped at {line.place} for a person to look at: {run.parked_reason}"
    if run.step is None:
        return "about to begin"
    if run.wait is None:
        return f"at {line.name}"
    if run.wait.get("held"):
        return f"holds {line.name}" + (f" until {say_time(run.until, where)}" if run.until else "")
    return line.waits(run.until)


class Detail(dict[str, Any]):
    """A line's detail; what it lacks is `?`, so that an old line can always be told."""

    def __missing__(self, key: str) -> str:
        return "?"


@dataclass(frozen=True)
class Line:
    """A line of a log, and what is known of its step."""

    id: str
    detail: Detail
    where: tzinfo
    plan: Plan | None

    @property
    def step(self) -> Step | None:
        """The step, if the run's plan has it (still)."""
        return self.plan.by_id.get(self.id) if self.plan else None

    @property
    def name(self) -> str:
        """What the step is, in words."""
        return self.named(self.id)

    @property
    def place(self) -> str:
        """The same with the id, for whoever has to find it."""
        return self.name if self.name == self.id else f"{self.name} ({self.id})"

    def named(self, id_: str) -> str:
        """What the step of that id is, in words."""
        step = self.plan.by_id.get(id_) if self.plan else None
        return name_step(step) if step else id_

    def waits(self, until: datetime | None, events: Sequence[str] = ()) -> str:
        """What is waited for, and until when."""
        end = f"until {say_time(until, self.where)}" if until else ""
        said = self._waited_for(events)
        if not said:
            return f"waits {end or 'for an event'}"
        return said + (f", {end}" if end else "")

    def _waited_for(self, events: Sequence[str]) -> str:
        step = self.step
        if isinstance(step, WaitForStep) and step.survey is not None:
            return f"waits for the answer to {step.survey}"
        if isinstance(step, WaitForStep):
            return f"waits for {' or '.join(step.on.events)}"
        if isinstance(step, DelayStep):
            return f"waits {say_duration(step.duration)}{self._after()}"
        if isinstance(step, DelayUntilStep):
            return f"waits for {say_moment(step.moment)}"
        if isinstance(step, RepeatStep):
            return f"rests {say_duration(step.every)} before the next pass"
        if isinstance(step, RemindStep):
            return f"keeps in touch ({step.about})"
        if isinstance(step, WebhookStep | CallStep):
            return f"waits for the answer of {say_outside(step)}"
        if isinstance(step, DiscountStep):
            return f"waits for a code of the shop {step.shop}"
        return f"waits for {' or '.join(events)}" if events else ""

    def _after(self) -> str:
        """After which message, as far as the step's id tells."""
        before = self.id.removeprefix("after ")
        while before and self.plan is not None:
            step = self.plan.by_id.get(before)
            if isinstance(step, MessageStep):
                return f" after {name_step(step)}"
            before = before.rpartition("/")[0]
        return ""
