"""What a lead does, or what becomes different about it: as said on the command line or at the terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.refusal import Refused
from dripline.language.durations import DurationError, parse_duration
from dripline.language.plan import Duration
from dripline.language.problems import did_you_mean
from dripline.language.workspace import FieldErrors, Workspace

UPDATED = "lead.updated"
_MAPS = ("consent", "topics", "attributes")
_NOT_SAID = {"id", "external_id", "email", "historical", "consent_proof", *_MAPS}
_PART_OF_A_TIME = re.compile(r"\d+\D*|P\S+", re.ASCII)
_FORM = "`after 3 days demo.booked seats=8`"


class Misunderstood(ValueError):
    """Words that cannot be understood; says why, and what to write."""


@dataclass(frozen=True)
class Act:
    """An event with its properties; of `lead.updated` they are what the lead's fields become."""

    event: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """As one would write it."""
        said = (f"{name}={shlex.quote(_told(value))}" for name, value in self.values.items())
        return " ".join([self.event, *said])


@dataclass(frozen=True)
class Order:
    """An act that is to follow so long after the start, in the journey's time."""

    after: Duration
    act: Act


def read_order(text: str, workspace: Workspace) -> Order:
    """What `after 3 days demo.booked seats=8` says. Raises Misunderstood."""
    words = _words(text)
    if not words or words[0] != "after":
        raise Misunderstood(f"write it like {_FORM}")
    length = _time_length(words[1:])
    try:
        after = parse_duration(" ".join(words[1 : 1 + length]))
    except DurationError as error:
        raise Misunderstood(f"{error}; write it like {_FORM}") from None
    return Order(after, read_act(words[1 + length :], workspace))


def read_act(said: str | Sequence[str], workspace: Workspace) -> Act:
    """What `demo.booked seats=8` says, its values coerced to the declared types. Raises Misunderstood."""
    words = _words(said) if isinstance(said, str) else list(said)
    if not words:
        raise Misunderstood(f"the event is missing; write it like {_FORM}")
    name, values = words[0], read_values(words[1:])
    if name not in workspace.events:
        hint = did_you_mean(name, workspace.events) or "declare it in dripline.yaml"
        raise Misunderstood(f"there is no event {name}: {hint}")
    if name == UPDATED:
        if not values:
            raise Misunderstood("say what becomes different: `lead.updated stage=customer`")
        lead_body(values, workspace)
        return Act(name, values)
    return Act(name, event_values(name, values, workspace))


def changed(act: Act, said: str, workspace: Workspace) -> Act:
    """The act with other values: `seats=8`. Raises Misunderstood."""
    values = {**act.values, **read_values(_words(said))}
    if act.event == UPDATED:
        lead_body(values, workspace)
        return Act(act.event, values)
    return Act(act.event, event_values(act.event, values, workspace))


def read_values(pairs: Sequence[str]) -> dict[str, str]:
    """What `seats=8` and the like say. Raises Misunderstood."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Misunderstood(f"{pair} is not written name=value")
        values[name] = value
    return values


def event_values(name: str, values: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """The properties of an event, by their declared types. Raises Misunderstood."""
    try:
        return workspace.coerce_event(name, values)
    except FieldErrors as error:
        raise Misunderstood("; ".join(f"{name}: {one} {words}" for one, words in error.errors)) from None


def lead_body(values: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """The body of `PUT /v1/leads` that gives fields and attributes these values; "" is none. Raises Misunderstood."""
    body: dict[str, Any] = {}
    for name, said in values.items():
        value = None if said == "" else said
        first, _, rest = name.partition(".")
        if rest and first in ("consent", "topics"):
            body.setdefault(first, {})[rest] = _switch(value)
        elif name in workspace.attributes:
            body.setdefault("attributes", {})[name] = value
        elif name in lead_fields():
            body[name] = value.split(",") if name == "tags" and isinstance(value, str) else value
        else:
            known = [*workspace.attributes, *lead_fields(), *map("topics.{}".format, workspace.topics)]
            hint = did_you_mean(name, [*known, "consent.email", "consent.sms"])
            raise Misunderstood(f"leads have no {name}" + (f": {hint}" if hint else ""))
    try:
        read_change(LeadIn.model_validate(body), workspace)
    except Refused as refusal:
        raise Misunderstood("; ".join(f"{one.field} {one.detail}" for one in refusal.errors)) from None
    except ValueError:
        raise Misunderstood("the lead cannot have these values") from None
    return body


def lead_fields() -> list[str]:
    """The built-in fields of a lead that may be said by name."""
    return [name for name in LeadIn.model_fields if name not in _NOT_SAID]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise Misunderstood("a quotation mark is not closed") from None


def _time_length(words: Sequence[str]) -> int:
    """How many words the time takes: `3 days`, `1 week 2 days`, `36h`."""
    length = 0
    while length < len(words) and _PART_OF_A_TIME.fullmatch(words[length]):
        length += 2 if words[length].isdigit() else 1
    return min(length, len(words))


def _switch(value: Any) -> Any:
    return {"true": True, "yes": True, "false": False, "no": False}.get(value, value) if value else value


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


__all__ = [
    "UPDATED",
    "Act",
    "Misunderstood",
    "Order",
    "changed",
    "event_values",
    "lead_body",
    "lead_fields",
    "read_act",
    "read_order",
    "read_values",
]
