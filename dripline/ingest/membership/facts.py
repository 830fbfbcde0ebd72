"""What segments go by, read for many leads at once: their rows, what they did, what they bought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, func, select

from dripline.engine.calendar import zone, zone_of
from dripline.engine.scope import lead_scope
from dripline.engine.segments import back, belongs
from dripline.ingest.membership.orders import bought_by
from dripline.language.expressions import EvaluationError, compile_expression, revive
from dripline.language.membership import Bought, Did, Membership, SegmentRules
from dripline.store.leads import facts
from dripline.store.schema import events

WHEN = func.coalesce(events.c.occurred_at, events.c.received_at)
"""When an event truly happened, as far as was said: imported history counts at its own time."""


@dataclass
class Crowd:
    """Some leads, and what is asked about them, each thing read once for all of them, when it is first asked."""

    connection: Connection
    rules: SegmentRules
    now: datetime
    rows: Sequence[Row[Any]]
    _did: dict[Did, Mapping[str, int]] = field(default_factory=dict)
    _bought: dict[Bought, Mapping[str, tuple[int, int]]] = field(default_factory=dict)

    def each(self) -> list[OfOne]:
        """What is known of each of them, in their order."""
        return [OfOne(self, row) for row in self.rows]

    @cached_property
    def ids(self) -> list[str]:
        """Their ids."""
        return [row.id for row in self.rows]

    @cached_property
    def where(self) -> ZoneInfo:
        """The workspace's zone, on whose calendar times before now are counted."""
        return zone(self.rules.timezone)

    def did(self, wanted: Did) -> Mapping[str, int]:
        """How often each lead did that; a lead that never did is missing."""
        if wanted not in self._did:
            self._did[wanted] = self._count(wanted)
        return self._did[wanted]

    def bought(self, wanted: Bought) -> Mapping[str, tuple[int, int]]:
        """How many such orders each lead placed, and for how much; a lead that placed none is missing."""
        if wanted not in self._bought:
            since = back(self.now, wanted.within, self.where)
            self._bought[wanted] = bought_by(self.connection, self.ids, wanted, since)
        return self._bought[wanted]

    def _count(self, wanted: Did) -> Mapping[str, int]:
        mine: list[ColumnElement[bool]] = [
            events.c.lead_id.in_(self.ids),
            *did_conditions(wanted, back(self.now, wanted.within, self.where)),
        ]
        if wanted.when is None:
            query = select(events.c.lead_id, func.count()).where(*mine).group_by(events.c.lead_id)
            return {row[0]: row[1] for row in self.connection.execute(query)}
        told = select(events.c.lead_id, events.c.name, events.c.properties).where(*mine)
        return Counter(
            row.lead_id
            for row in self.connection.execute(told)
            if self._counts(wanted.when, row.name, row.properties)
        )

    def _counts(self, when: str, name: str, properties: Mapping[str, Any]) -> bool:
        event = revive(properties, self.rules.event_times.get(name, {}))
        try:
            return compile_expression(when).holds({"event": {**event, "name": name}})
        except EvaluationError:
            return False


@dataclass(frozen=True)
class OfOne:
    """What is known of one lead of a crowd."""

    crowd: Crowd
    row: Row[Any]

    @cached_property
    def names(self) -> Mapping[str, Any]:
        """`lead`, and `now` and `today` where it lives."""
        lead, rules = facts(self.row), self.crowd.rules
        now = self.crowd.now.astimezone(zone_of(self.row.timezone, self.row.country, rules.timezone))
        return {"lead": lead_scope(lead, rules.attribute_times), "now": now, "today": now.date()}

    def did(self, wanted: Did) -> int:
        """How often the lead did that."""
        return self.crowd.did(wanted).get(self.row.id, 0)

    def bought(self, wanted: Bought) -> tuple[int, int]:
        """How many such orders it placed, and for how much in that currency (minor units)."""
        return self.crowd.bought(wanted).get(self.row.id, (0, 0))

    def segment(self, name: str) -> Membership:
        """Who belongs to the segment of that name."""
        return self.crowd.rules.segments[name]

    def is_in(self, name: str) -> bool:
        """Whether the lead is in that segment."""
        return belongs(self.segment(name), self)


def did_conditions(wanted: Did, since: datetime | None) -> list[ColumnElement[bool]]:
    """Which events count, as far as the database can tell."""
    found: list[ColumnElement[bool]] = [events.c.name.in_(wanted.events)]
    if since is not None:
        found.append(since < WHEN)
    return found


__all__ = ["Crowd", "OfOne", "did_conditions"]
