"""Segments as a marketer writes them: who belongs together, by what leads are, did and bought."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from dripline.language.discounts import Amount
from dripline.language.kinds import KEBAB, Condition, Events, Flag, JourneyId, Length, Text
from dripline.language.load import Written, wrong
from dripline.language.short_forms import ShortForm
from dripline.language.spoken import Spoken

_TIMES = re.compile(r"\s*(?:(at least|at most|exactly)\s+(\d{1,6})|(\d{1,6})\s+to\s+(\d{1,6}))\s*")
_AS_WRITTEN = "write it like `at least 3`, `at most 2`, `exactly 1` or `2 to 5`"


@dataclass(frozen=True)
class Times:
    """How often: from `least` to `most`; None: any number."""

    least: int = 1
    most: int | None = None


def read_times(value: Any) -> Any:
    """How often a text says."""
    if isinstance(value, Times):
        return value
    match = _TIMES.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong("bad-times", f"`{value}` does not say how often", _AS_WRITTEN)
    if match[3]:
        least, most = int(match[3]), int(match[4])
        if least > most:
            raise wrong("bad-times", f"`{value}` is never so", f"write `{most} to {least}`")
        return Times(least, most)
    number = int(match[2])
    if match[1] == "at least":
        return Times(number)
    return Times(number if match[1] == "exactly" else 0, number)


def _in_a_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


HowOften = Annotated[
    Times, BeforeValidator(read_times), WithJsonSchema({"type": "string", "pattern": _TIMES.pattern})
]
"""How often: `at least 3`."""
SegmentId = JourneyId
"""A word in kebab-case."""
_Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_in_a_list, json_schema_input_type=tuple[Text, ...] | Text),
    Field(min_length=1, max_length=50),
]


class DidNotEntry(Written):
    """Something that leads must not have done."""

    event: Events = Field(description="An event, or a list of which any counts.")
    when: Condition | None = Field(None, description="Only events for which this holds; it reads `event`.")
    within: Length | None = Field(
        None, description="Only what happened in this time before now; without it, ever."
    )


class DidEntry(DidNotEntry):
    """Something that leads must have done."""

    times: HowOften = Field(Times(), description="How often: `at least 3`; without it, at least once.")


class NotBoughtEntry(Written):
    """Orders that leads must not have placed. Wholly refunded ones are none."""

    product: _Names | None = Field(
        None, description="Only orders with this product, or one of these, by their ids."
    )
    within: Length | None = Field(
        None, description="Only orders of this time before now; without it, all there were."
    )


class BoughtEntry(NotBoughtEntry):
    """Orders that leads must have placed. Wholly refunded ones are none."""

    times: HowOften = Field(Times(), description="How many orders: `at least 2`; without it, at least one.")
    spent: Amount | None = Field(
        None, description="For at least so much in all, less what was refunded, like `50000 AMD`."
    )


def _short(key: str) -> ShortForm:
    return ShortForm(lambda value: {key: value} if isinstance(value, str) else value, key)


_Did = Annotated[DidEntry, _short("event")]
_DidNot = Annotated[DidNotEntry, _short("event")]


class Members(Written):
    """Who belongs to it: leads for whom all that stands here holds."""

    when: Condition | None = Field(None, description="A condition over `lead`, `today` and `now`.")
    did: Annotated[
        tuple[_Did, ...], BeforeValidator(_in_a_list, json_schema_input_type=tuple[_Did, ...] | _Did)
    ] = Field((), description="What they did, all of it: an event, or a list.")
    did_not: Annotated[
        tuple[_DidNot, ...], BeforeValidator(_in_a_list, json_schema_input_type=tuple[_DidNot, ...] | _DidNot)
    ] = Field((), description="What they did not do, none of it.")
    bought: Annotated[
        tuple[BoughtEntry, ...],
        BeforeValidator(_in_a_list, json_schema_input_type=tuple[BoughtEntry, ...] | BoughtEntry),
    ] = Field((), description="What they bought, all of it, by the orders that are kept.")
    not_bought: Annotated[
        tuple[NotBoughtEntry, ...],
        BeforeValidator(_in_a_list, json_schema_input_type=tuple[NotBoughtEntry, ...] | NotBoughtEntry),
    ] = Field((), description="What they did not buy, none of it.")
    in_: _Names | None = Field(None, alias="in", description="Other segments: they are in all of them.")
    not_in: _Names | None = Field(None, description="Other segments: they are in none of them.")
    any: tuple[Members, ...] = Field(
        (), max_length=20, description="A list of such conditions, of which at least one holds."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Members:
        said = (self.when, self.did, self.did_not, self.bought, self.not_bought, self.in_, self.not_in)
        if not any((*said, self.any)):
            raise wrong("missing-key", "it is not said who belongs to it", "add `when`, `did` or `bought`")
        return self

    def parts(self) -> Iterator[Members]:
        """This, and every condition within it."""
        yield self
        for one in self.any:
            yield from one.parts()

    def names(self) -> frozenset[str]:
        """The other segments that it goes by."""
        return frozenset(name for part in self.parts() for name in (*(part.in_ or ()), *(part.not_in or ())))


class SegmentEntry(Members):
    """A segment: leads of one kind, kept current by itself."""

    title: Spoken | None = Field(None, description="What people call it: one text, or one for each language.")


Segment = Annotated[SegmentEntry, _short("when")]
Segments = dict[SegmentId, Segment]


class RfmEntry(Written):
    """How leads are ranked by what they bought: `lead.rfm`."""

    within: Length | None = Field(
        None, description="Only orders of this time before now count; without it, all there were."
    )
    nested: Flag = Field(
        False,
        description="Rank frequency within each fifth by recency, and money within each of those; without it,"
        " each by itself.",
    )


def is_name(audience: str) -> bool:
    """Whether an audience is given by the name of a segment, and not by a condition."""
    return KEBAB.fullmatch(audience.strip()) is not None


__all__ = [
    "BoughtEntry",
    "DidEntry",
    "DidNotEntry",
    "Members",
    "NotBoughtEntry",
    "RfmEntry",
    "SegmentEntry",
    "Segments",
    "Times",
    "is_name",
]
