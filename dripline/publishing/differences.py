"""What an edit changed in a journey, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from dripline.language.durations import say_duration
from dripline.language.labels import say_clock
from dripline.language.plan import (
    BranchStep,
    DelayStep,
    Duration,
    EventFilter,
    Hours,
    Limit,
    MessageStep,
    Plan,
    StopStep,
    WaitForStep,
)
from dripline.language.plan import Step as PlanStep
from dripline.publishing.content import content
from dripline.publishing.matching import Matching

Sign = Literal["+", "-", "~", "="]
"""Added, taken out, changed; the same under another name."""

_LONGEST = 60
_PARTS = {"steps", "templates", "attribute_times", "event_times"}
_NAMES = {
    "on": "event",
    "condition": "if",
    "otherwise": "else",
    "result": "as",
    "duration": "",
    "sender": "from",
    "exits": "exit",
}


def differences(matching: Matching, old: Plan, new: Plan) -> Iterator[tuple[Sign, str]]:
    """Every difference, a line each: of the journey, of its steps in their order, of its templates."""
    for field, said in _changed(_journey(old), _journey(new)):
        yield "~", f"{field}: {said}"
    yield from _steps(matching, old, new)
    for name in sorted(old.templates.keys() & new.templates.keys()):
        locales = _locales(old.templates[name], new.templates[name])
        if locales:
            yield "~", f"template {name}: {', '.join(locales)}"


def say_step(step: PlanStep) -> str:
    """A step in a few words."""
    match step:
        case MessageStep():
            return f"{step.channel} {step.template}"
        case DelayStep():
            return f"delay of {say_duration(step.duration)}"
        case WaitForStep():
            limit = f", {say_duration(step.timeout)} at most" if step.timeout else ""
            return f"wait for {' or '.join(step.on.events)}{limit}"
        case BranchStep():
            return f"branch in {len(step.arms)}"
        case StopStep():
            return f"stop: {step.reason}"
        case _:
            return step.verb.replace("_", " ")


def _steps(matching: Matching, old: Plan, new: Plan) -> Iterator[tuple[Sign, str]]:
    back = {after: before for before, after in matching.pairs.items() if before not in matching.said}
    for step in old.steps:
        if step.id not in matching.pairs:
            yield "-", f"{step.id} ({say_step(step)})"
    for step in new.steps:
        before = old.by_id[back[step.id]] if step.id in back else None
        if before is None:
            yield "+", f"{step.id} ({say_step(step)})"
            continue
        if before.id != step.id:
            yield "=", f"{before.id} is {step.id} now ({say_step(step)})"
        if before.verb != step.verb:
            yield "~", f"{step.id}: {say_step(before)} → {say_step(step)}"
        else:
            said = [": ".join(filter(None, pair)) for pair in _changed(content(before), content(step))]
            if said:
                yield "~", f"{step.id}: {'; '.join(said)}"
    if _order(matching, old, new):
        yield "~", "the steps stand in another order"
    elif _ways_differ(matching, old, new):
        yield "~", "some steps lead elsewhere"


def _order(matching: Matching, old: Plan, new: Plan) -> bool:
    kept = [matching.pairs[step.id] for step in old.steps if step.id in matching.pairs]
    kept = [step for step in kept if kept.count(step) == 1]
    return kept != [step.id for step in new.steps if step.id in set(kept)]


def _ways_differ(matching: Matching, old: Plan, new: Plan) -> bool:
    """Whether the same steps, none added or taken out, are joined in another way."""
    if len(old.steps) != len(new.steps) or len(matching.pairs) != len(old.steps):
        return False
    if matching.renamed():
        return False
    return any(
        content(step) == content(new.by_id[step.id]) and step != new.by_id[step.id] for step in old.steps
    )


def _journey(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in Plan.model_fields if name not in _PARTS}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, before in old.items():
        after = new.get(name)
        if before != after:
            yield _NAMES.get(name, name.replace("_", " ")), f"{_say(before)} → {_say(after)}"


def _say(value: Any) -> str:
    match value:
        case None:
            return "none"
        case Duration():
            if min(value.months, value.days, value.seconds) < 0:
                gone = Duration(months=-value.months, days=-value.days, seconds=-value.seconds)
                return f"{say_duration(gone)} before"
            return say_duration(value)
        case Limit():
            return f"{value.count} per {say_duration(value.per)}"
        case EventFilter():
            return " or ".join(value.events) + (f" when {value.when}" if value.when else "")
        case Hours():
            return f"{say_clock(value.start)}-{say_clock(value.end)}"
        case bool():
            return "yes" if value else "no"
        case BaseModel():
            return _say(dict(value))
        case Mapping():
            said = {_NAMES.get(name, name): one for name, one in value.items() if one is not None}
            return _short(", ".join(f"{name} {_say(one)}" for name, one in said.items()) or "none")
        case list() | tuple():
            return _short(", ".join(map(_say, value)) or "none")
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _locales(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(locale for locale in old.keys() | new.keys() if old.get(locale) != new.get(locale))


__all__ = ["Sign", "differences", "say_step"]
