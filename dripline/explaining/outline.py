"""The sections of an explanation, and the steps one under another with their ways indented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from dripline.explaining.calendar import say_gathering
from dripline.explaining.conditions import say_condition, say_value
from dripline.explaining.phrases import Phrases
from dripline.explaining.steps import Steps
from dripline.explaining.wording import only, say_events, say_hours, say_length
from dripline.language.labels import say_clock
from dripline.language.plan import (
    BranchStep,
    Duration,
    Limit,
    MessageStep,
    Plan,
    RemindStep,
    RepeatStep,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    WaitForStep,
)

_Said = TypeVar("_Said", bound=Hashable)


@dataclass(frozen=True)
class Line:
    """A sentence, and how deep it stands."""

    depth: int
    text: str
    step: str | None = None
    """The id of the step that it is about."""


@dataclass(frozen=True)
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Explanation:
    """A whole journey, explained."""

    journey: str
    title: str
    sections: tuple[Section, ...]


def explain(plan: Plan, phrases: Phrases, locale: str) -> Explanation:
    """The journey in the words of that language; subjects are quoted in `locale` where they are written in it."""
    said = (
        (phrases.enters, _enters(plan, phrases)),
        (phrases.purpose, _purpose(plan, phrases)),
        (phrases.leaves, _leaves(plan, phrases)),
        (phrases.messages, _messages(plan, phrases)),
    )
    sections = [Section(title, tuple(Line(0, text) for text in texts)) for title, texts in said]
    sections.append(Section(phrases.happens, tuple(_Walk(plan, phrases, locale).all())))
    return Explanation(plan.journey, plan.title, tuple(one for one in sections if one.lines))


def _enters(plan: Plan, phrases: Phrases) -> Iterator[str]:
    trigger = plan.trigger
    narrowed = only(trigger.on, phrases)
    if trigger.yearly is not None:
        yearly = trigger.yearly
        date = phrases.fields.get(yearly.attribute, yearly.attribute.replace("_", " "))
        when = phrases.on_the_day.format(date=date)
        if yearly.offset != Duration():
            parts = (yearly.offset.months, yearly.offset.days, yearly.offset.seconds)
            form = phrases.before if min(parts) < 0 else phrases.after
            when = form.format(duration=say_length(yearly.offset, phrases), date=date)
        yield phrases.enters_yearly.format(when=when, at=yearly.at, only=narrowed)
    elif trigger.gathering is not None:
        yield say_gathering(trigger.gathering, plan.timezone, phrases)
    elif not trigger.on.events:
        yield phrases.enters_by_hand
    else:
        yield phrases.enters_by.format(events=say_events(trigger.on, phrases), only=narrowed)
    if trigger.yearly is None:
        yield _again(plan, phrases)
    if plan.holdout:
        yield phrases.holdout.format(percent=f"{plan.holdout:g}")


def _again(plan: Plan, phrases: Phrases) -> str:
    key = (plan.trigger.key or "").replace("_", " ")
    match plan.trigger.reentry:
        case "never":
            return phrases.once_per_key.format(key=key) if key else phrases.once
        case "always":
            return phrases.again_per_key.format(key=key) if key else phrases.again
        case Duration() as pause:
            return phrases.again_after.format(duration=say_length(pause, phrases))


def _purpose(plan: Plan, phrases: Phrases) -> Iterator[str]:
    goal = plan.goal
    if goal is None:
        return
    yield phrases.goal.format(events=say_events(goal.on, phrases), only=only(goal.on, phrases))
    if goal.within is not None:
        yield phrases.goal_within.format(duration=say_length(goal.within, phrases))
    if goal.value is not None:
        yield phrases.goal_value.format(value=say_value(goal.value, phrases))


def _leaves(plan: Plan, phrases: Phrases) -> Iterator[str]:
    for way in plan.exits:
        events, narrowed = say_events(way.on, phrases), only(way.on, phrases)
        yield phrases.exit.format(events=events, only=narrowed, reason=way.reason)
    if not plan.exits:
        yield phrases.no_exit


def _messages(plan: Plan, phrases: Phrases) -> Iterator[str]:
    """What most of the marketing messages have in common."""
    messages = [step for step in plan.steps if isinstance(step, MessageStep) and not step.transactional]
    if not messages:
        return
    yield phrases.consent
    topic = _usual([step.topic for step in messages])
    if topic is not None:
        yield phrases.topic.format(topic=topic)
    quiet = _usual([step.quiet_hours for step in messages])
    if quiet is not None:
        yield phrases.quiet_hours.format(start=say_clock(quiet.start), end=say_clock(quiet.end))
    window = _usual([step.window for step in messages])
    if window:
        yield phrases.window.format(hours=say_hours(window, phrases))
    limit = _usual([(step.limit, step.on_limit) for step in messages])
    if limit[0] is not None:
        yield _limit(limit[0], limit[1], phrases)
    if plan.throttle is not None:
        duration = say_length(plan.throttle.per, phrases, within=True)
        yield phrases.throttle.format(count=plan.throttle.count, duration=duration)


def _limit(limit: Limit, waits: Duration | None, phrases: Phrases) -> str:
    over = phrases.limit_skips
    if waits is not None:
        over = phrases.limit_waits.format(duration=say_length(waits, phrases))
    duration = say_length(limit.per, phrases, within=True)
    return phrases.limit.format(count=limit.count, duration=duration, over=over)


def _usual(said: list[_Said]) -> _Said:
    return Counter(said).most_common(1)[0][0]


class _Walk:
    """Goes through the steps, each once: those behind one another in a row, ways deeper than what they leave."""

    def __init__(self, plan: Plan, phrases: Phrases, locale: str) -> None:
        self._plan = plan
        self._phrases = phrases
        self._steps = Steps(plan, phrases, locale)
        self._said: set[str] = set()

    def all(self) -> list[Line]:
        """Every step; those to which nothing but a jump leads come last."""
        lines: list[Line] = []
        for first in self._plan.steps:
            if first.id not in self._said:
                row, goes_on = self._row(first.id, frozenset(), 0)
                lines += row
                if goes_on:
                    lines.append(Line(0, self._phrases.finished))
        return lines

    def _row(self, first: str | None, meets: frozenset[str | None], depth: int) -> tuple[list[Line], bool]:
        """The steps from there to where the ways meet again, and whether a lead can get to that place."""
        lines: list[Line] = []
        at = first
        while at is not None and at not in meets:
            step = self._plan.by_id[at]
            if at in self._said:
                return [*lines, Line(depth, f"→ {self._steps.say(step)}", at)], False
            self._said.add(at)
            lines.append(Line(depth, self._steps.say(step), at))
            below, goes_on = self._below(step, meets, depth)
            lines += below
            if not goes_on:
                return lines, False
            at = step.next
        if at is None and depth and None not in meets:
            lines.append(Line(depth, self._phrases.finished))
        return lines, True

    def _below(self, step: Step, meets: frozenset[str | None], depth: int) -> tuple[list[Line], bool]:
        """The ways from a step, and whether a lead can get on to the step behind it."""
        if isinstance(step, StopStep):
            return [], step.condition is not None
        loops = isinstance(step, RepeatStep | RemindStep)
        lines: list[Line] = []
        ends = []
        for label, to in self._ways(step):
            returns = isinstance(step, RepeatStep) or (isinstance(step, RemindStep) and to == step.message)
            meet = step.id if returns else step.next
            row, goes_on = self._row(to, meets | {meet}, depth + (2 if label else 1))
            ends.append(not goes_on)
            lines += [Line(depth + 1, label), *row] if row and label else row
        every = isinstance(step, SplitStep) or (isinstance(step, BranchStep) and step.arms[-1].when is None)
        if isinstance(step, WaitForStep):
            every = len(ends) == (2 if step.timeout or step.until else 1)
        return lines, loops or step.condition is not None or not (every and ends and all(ends))

    def _ways(self, step: Step) -> Iterator[tuple[str, str | None]]:
        """Where it may go besides the step behind it, and when."""
        words = self._phrases
        match step:
            case MessageStep():
                if step.fallback is not None:
                    yield words.cannot_be_sent, step.fallback
            case WaitForStep():
                asked = step.survey is not None
                if step.then != step.next:
                    yield words.when_answered if asked else words.when_it_comes, step.then
                if step.otherwise != step.next and (step.timeout or step.until):
                    yield words.when_not_answered if asked else words.when_the_time_is_up, step.otherwise
            case BranchStep():
                for arm in step.arms:
                    condition = say_condition(arm.when, words) if arm.when else ""
                    yield words.arm.format(condition=condition) if arm.when else words.otherwise, arm.to
            case SplitStep():
                for share in step.arms:
                    yield words.share.format(percent=f"{share.percent:g}", name=share.name), share.to
            case RepeatStep():
                yield "", step.first
            case SetStep():
                if step.included and step.then != step.next:
                    yield "", step.then
            case RemindStep():
                yield words.each_time, step.message
                if step.on_day is not None:
                    yield words.on_that_day, step.on_day
