"""Segments as they are compiled: who belongs to one, in plain and frozen values that a store can keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from dripline.language.expressions import compile_expression
from dripline.language.fields import Times, times_of
from dripline.language.money import to_minor
from dripline.language.plan import Duration
from dripline.language.segments import (
    BoughtEntry,
    DidEntry,
    DidNotEntry,
    Members,
    NotBoughtEntry,
)
from dripline.language.workspace import Workspace

_BY_THE_CLOCK = frozenset({"now", "today"})
_MERGED = "lead.merged"
_EVENTS_OF_LEADS = frozenset({"lead.created", "lead.updated"})
_BY_ANY_EVENT = frozenset({"score", "grade", "warmth"})
"""What a lead has by what it does: any event that is heard may change it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a later release may have known more


class Often(_Frozen):
    """How often, and in which time before now."""

    least: int = 1
    most: int | None = None
    within: Duration | None = None

    def holds(self, number: int) -> bool:
        """Whether so often is what is asked for."""
        return self.least <= number and (self.most is None or number <= self.most)


class Did(Often):
    """So many of these events."""

    events: tuple[str, ...]
    when: str | None = None


class Bought(Often):
    """So many orders with one of these products, for so much in all."""

    products: tuple[str, ...] | None = None
    spent: int = 0
    """Minor units."""
    currency: str | None = None


class Membership(_Frozen):
    """All that holds for who belongs to it."""

    when: str | None = None
    did: tuple[Did, ...] = ()
    bought: tuple[Bought, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    any_of: tuple[Membership, ...] = ()

    def parts(self) -> Iterator[Membership]:
        """This, and every condition within it."""
        yield self
        for one in self.any_of:
            yield from one.parts()


class RfmRule(_Frozen):
    """How quintiles are reckoned."""

    within: Duration | None = None
    nested: bool = False


class SegmentRules(_Frozen):
    """Everything that is needed to tell who is in which segment."""

    segments: dict[str, Membership] = {}
    timezone: str = "UTC"
    attribute_times: Times = {}
    event_times: dict[str, Times] = {}
    ordered: tuple[str, ...] = ()
    """The events by which orders change."""
    rfm: RfmRule | None = None

    @property
    def heard(self) -> frozenset[str]:
        """The events by which a lead may enter or leave a segment."""
        return frozenset(self.by_event)

    @cached_property
    def by_event(self) -> dict[str, frozenset[str]]:
        """By event, the segments that a lead may enter or leave by it."""
        found: dict[str, set[str]] = {}
        for name in self.segments:
            for event in self._heard_by(name):
                found.setdefault(event, set()).add(name)
        return {event: frozenset(names) for event, names in found.items()}

    def _heard_by(self, name: str) -> frozenset[str]:
        found: set[str] = {_MERGED}
        for part in self.reached(name):
            found |= _EVENTS_OF_LEADS if part.when is not None else set()
            found.update(*(did.events for did in part.did))
            found |= set(self.ordered) if part.bought else set()
        return frozenset(found)

    @cached_property
    def by_any_event(self) -> frozenset[str]:
        """The segments that go by what any event may change, such as the score."""
        return frozenset(name for name in self.segments if self._reads(name) & _BY_ANY_EVENT)

    @cached_property
    def by_the_clock(self) -> frozenset[str]:
        """The segments that leads enter or leave by nothing but the passing of time."""
        return frozenset(name for name in self.segments if any(_timed(one) for one in self.reached(name)))

    @cached_property
    def by_rfm(self) -> frozenset[str]:
        """The segments that go by quintiles."""
        return frozenset(name for name in self.segments if "rfm" in self._reads(name))

    @cached_property
    def digests(self) -> dict[str, str]:
        """By name, SHA-256 (hex) of the segment's rule with all that it goes by."""
        return {name: self._digest(name) for name in self.segments}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of all of them."""
        return _hashed(sorted(self.digests.items()))

    @cached_property
    def ranking_digest(self) -> str:
        """SHA-256 (hex) of how quintiles are reckoned."""
        return _hashed(self.rfm.model_dump(mode="json") if self.rfm else None)

    def _digest(self, name: str) -> str:
        names = sorted({name, *self._names(name)})
        said = {one: self.segments[one].model_dump(mode="json") for one in names}
        return _hashed([self.timezone, said])

    def reached(self, name: str) -> Iterator[Membership]:
        """Every condition that the segment goes by, those of others too."""
        for one in {name: None, **dict.fromkeys(self._names(name))}:
            yield from self.segments[one].parts()

    def _names(self, name: str) -> set[str]:
        found: set[str] = set()
        for part in self.segments[name].parts():
            for other in (*part.all_of, *part.none_of):
                found |= {other, *self._names(other)}
        return found

    def _reads(self, name: str) -> set[str]:
        """The fields of `lead` that its conditions read."""
        return {
            path.split(".")[1]
            for part in self.reached(name)
            if part.when is not None
            for path in compile_expression(part.when).names
            if path.startswith("lead.")
        }


def _hashed(said: object) -> str:
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _timed(part: Membership) -> bool:
    read = compile_expression(part.when).names if part.when is not None else ()
    by_now = any(path.split(".")[0] in _BY_THE_CLOCK for path in read)
    return by_now or any(one.within is not None for one in (*part.did, *part.bought))


def compile_members(members: Members, currency: str | None) -> Membership:
    """What is said of members, in which `check` found no error."""
    return Membership(
        when=members.when,
        did=(
            *(_did(entry) for entry in members.did),
            *(_did(entry) for entry in members.did_not),
        ),
        bought=(
            *(_bought(entry, currency) for entry in members.bought),
            *(_bought(entry, currency) for entry in members.not_bought),
        ),
        all_of=members.in_ or (),
        none_of=members.not_in or (),
        any_of=tuple(compile_members(one, currency) for one in members.any),
    )


def _did(entry: DidNotEntry) -> Did:
    least, most = (entry.times.least, entry.times.most) if isinstance(entry, DidEntry) else (0, 0)
    return Did(events=entry.event, when=entry.when, within=entry.within, least=least, most=most)


def _bought(entry: NotBoughtEntry, currency: str | None) -> Bought:
    if not isinstance(entry, BoughtEntry):
        return Bought(products=entry.product, within=entry.within, least=0, most=0)
    spent, named = 0, None
    if entry.spent is not None:
        named = entry.spent[1] or currency or ""
        spent = to_minor(entry.spent[0], named)
    return Bought(
        products=entry.product,
        within=entry.within,
        least=entry.times.least,
        most=entry.times.most,
        spent=spent,
        currency=named,
    )


def compile_segments(workspace: Workspace) -> SegmentRules:
    """The segments of a workspace in which `check` found no error."""
    orders = workspace.orders
    compiled = {name: compile_members(one, workspace.currency) for name, one in workspace.segments.items()}
    filtered = {
        event
        for one in compiled.values()
        for part in one.parts()
        for did in part.did
        for event in did.events
        if did.when is not None
    }
    times = {event: times_of(workspace.events.get(event, {})) for event in sorted(filtered)}
    return SegmentRules(
        segments=compiled,
        timezone=workspace.timezone,
        attribute_times=times_of(workspace.attributes),
        event_times={event: fields for event, fields in times.items() if fields},
        ordered=tuple(sorted(orders.heard)) if orders else (),
        rfm=RfmRule(within=workspace.rfm.within, nested=workspace.rfm.nested) if orders else None,
    )


__all__ = [
    "Bought",
    "Did",
    "Membership",
    "Often",
    "RfmRule",
    "SegmentRules",
    "compile_members",
    "compile_segments",
]
