"""What becomes of a wait when its step is edited: its end is reckoned again, from when it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dripline.engine.asking import OUTSIDE
from dripline.engine.calendar import add
from dripline.engine.effects import Outcome, RunState, Wait
from dripline.engine.moving import Moving
from dripline.engine.reminding import end_of
from dripline.engine.steps import look_back
from dripline.engine.waiting import moment_of, wait_end
from dripline.language.expressions import EvaluationError
from dripline.language.plan import (
    DelayStep,
    DelayUntilStep,
    Duration,
    EventFilter,
    MessageStep,
    Plan,
    RemindStep,
    RepeatStep,
    Step,
    WaitForStep,
)
from dripline.publishing.content import RESTS, content

_POLICY = ("channel", "topic", "transactional", "limit", "on_limit", "quiet_hours", "window", "expires")


@dataclass(frozen=True)
class LookBack:
    """Events that count now, and did not before the move: of these names, received after `after`."""

    names: tuple[str, ...]
    after: datetime


@dataclass(frozen=True)
class Rest:
    """How a run goes on waiting; without a wait, it enters its step."""

    wait: Wait | None
    pending: bool = False
    """Whether the step itself is still to be done."""
    loops: Mapping[str, Any] = field(default_factory=dict)
    look_back: LookBack | None = None
    at_step: str | None = None
    """Another step at which it goes on, as the step says where there is nothing to wait for."""
    outcome: Outcome | None = None


def entered_anew() -> Rest:
    """No wait: the next turn enters the step."""
    return Rest(None, pending=True)


def rest_on(
    old: Plan, new: Plan, target: str, state: RunState, lead: Mapping[str, Any], at: datetime
) -> Rest | None:
    """How the run goes on at the new step; None where it waits for an answer that would not find it there.

    A wait whose end has gone by ends at once. Never raises: what cannot be reckoned ends the wait, and the turn tells.
    """
    before, after = old.by_id[state.step or ""], new.by_id[target]
    if isinstance(before, OUTSIDE) and state.wait is not None and before.verb == after.verb:
        return Rest(state.wait) if before.id == after.id else None
    if state.wait is None:
        return entered_anew()
    if isinstance(before, MessageStep):
        return _held(old, new, before, after, state.wait, at)
    moving = Moving(new, replace(state, last_at=state.wait.began), lead, (), state.wait.began)
    try:
        rest = _again(before, after, moving, state.wait, at)
    except EvaluationError:
        rest = Rest(replace(state.wait, until=at))
    return replace(rest, look_back=_look_back(before, after, moving)) if rest.wait else rest


def _held(old: Plan, new: Plan, before: MessageStep, after: Step, wait: Wait, at: datetime) -> Rest:
    """A message that policy holds back is asked again at once, if the policy has changed."""
    if not isinstance(after, MessageStep):
        return entered_anew()
    same = all(getattr(before, name) == getattr(after, name) for name in _POLICY)
    same = same and old.throttle == new.throttle and old.timezone == new.timezone
    if same or (wait.held == "throttle" and new.throttle is not None):  # it keeps its place in the line
        return Rest(wait, pending=True)
    return Rest(replace(wait, until=at), pending=True)


def _again(before: Step, after: Step, moving: Moving, wait: Wait, at: datetime) -> Rest:
    match after:
        case DelayStep() if isinstance(before, RESTS):
            end = _unless_same(before, after, wait, lambda: add(wait.began, after.duration, moving.where))
            return Rest(_until(wait, end, at))
        case WaitForStep() if isinstance(before, RESTS):
            end = _unless_same(before, after, wait, lambda: wait_end(moving, after))
            return Rest(_until(wait, end, at))
        case DelayUntilStep() if isinstance(before, RESTS):
            if content(before) == content(after):
                return Rest(wait)
            return _moment(after, moving, wait, at)
        case RepeatStep() if isinstance(before, RepeatStep):
            return Rest(_until(wait, add(wait.began, after.every, moving.where), at))
        case RemindStep() if isinstance(before, RemindStep):
            return _reminding(before, after, moving, wait, at)
    return entered_anew()


def _unless_same(before: Step, after: Step, wait: Wait, end: Any) -> datetime | None:
    """The end as it was where the step is as it was: what it was reckoned from may have changed since."""
    found: datetime | None = wait.until if content(before) == content(after) else end()
    return found


def _until(wait: Wait, end: datetime | None, at: datetime) -> Wait:
    if end == wait.until:
        return wait
    return Wait(wait.began, None if end is None else max(end, at))


def _moment(step: DelayUntilStep, moving: Moving, wait: Wait, at: datetime) -> Rest:
    until = moment_of(moving, step.moment)
    rule = step.if_missing if until is None else step.if_past
    if until is not None and until >= wait.began:
        return Rest(_until(wait, until, at))
    if rule.do == "exit":
        return Rest(None, outcome=Outcome("stopped", "no date" if until is None else "the moment is past"))
    if rule.do == "skip":
        return replace(entered_anew(), at_step=rule.to)
    return Rest(_until(wait, at, at))


def _reminding(before: RemindStep, after: RemindStep, moving: Moving, wait: Wait, at: datetime) -> Rest:
    """The day stays as it was, unless another was said; the next reminder is reckoned from the last."""
    loop = moving.state.loops.get(before.id)
    if loop is None:
        return entered_anew()
    end = datetime.fromisoformat(loop["end"])
    if before.period is not None and after.period is not None:
        if before.period != after.period:
            began = add(end, _negative(before.period), moving.where)
            end = add(began, after.period, moving.where)
    elif (before.period, before.until) != (after.period, after.until):
        end = end_of(moving, after) or end
    until = min(add(wait.began, after.every, moving.where), end)
    loop = {**loop, "end": end.isoformat()}
    return Rest(_until(wait, until, at), loops={after.id: loop})


def _negative(period: Duration) -> Duration:
    return Duration(months=-period.months, days=-period.days, seconds=-period.seconds)


def _look_back(before: Step, after: Step, moving: Moving) -> LookBack | None:
    """Events that the old step did not listen for may have come since the wait began."""
    heard = _hears(before)
    now = _hears(after)
    if now is None or now == heard:
        return None
    if isinstance(after, WaitForStep):
        return LookBack(now.events, look_back(moving, after))
    return LookBack(now.events, moving.at)


def _hears(step: Step) -> EventFilter | None:
    if isinstance(step, WaitForStep):
        return step.on
    return step.unless if isinstance(step, RemindStep) else None
