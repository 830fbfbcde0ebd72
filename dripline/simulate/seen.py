"""What a scenario can expect of a life: the things that reach the lead or the world, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dripline.simulate.timeline import Entry, Letter


@dataclass(frozen=True)
class Seen:
    """One thing that happened. `kind` and `name` are as an expectation has them: `email`, `welcome/hello`."""

    at: datetime
    kind: str
    name: str
    journey: str
    order: int
    """Its place in the timeline."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What may be expected of it besides: `subject`, `text`, `reason`."""


def seen(timeline: list[Entry]) -> list[Seen]:
    """The things of a timeline that a scenario must expect."""
    return [found for order, entry in enumerate(timeline) for found in _of(entry, order)]


def _of(entry: Entry, order: int) -> Iterator[Seen]:
    if entry.letter is not None:
        yield _message(entry.letter, order)
    elif entry.kind == "deed":
        facts = {name: say(value) for name, value in entry.detail.items() if name != "name"}
        yield Seen(entry.at, entry.what, entry.detail["name"], entry.journey or "", order, facts)
    elif entry.kind == "step" and entry.what == "ended":
        reason = entry.detail["reason"] or entry.detail["outcome"]
        yield Seen(entry.at, "ends", str(reason), entry.journey or "", order)


def say(value: Any) -> str:
    """A value as an author writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(say(one) for one in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _message(letter: Letter, order: int) -> Seen:
    if letter.fate in ("skipped", "held"):
        return Seen(
            letter.at, letter.fate, letter.step, letter.journey, order, {"reason": letter.reason or ""}
        )
    facts = {}
    if letter.content is not None:
        facts["text"] = letter.content.body
        if letter.content.subject is not None:
            facts["subject"] = letter.content.subject
    if letter.to is not None:
        return Seen(letter.at, "notify", letter.to, letter.journey, order, facts)
    return Seen(letter.at, letter.channel, letter.template, letter.journey, order, facts)
