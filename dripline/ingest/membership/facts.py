"""What segments go by, read for many leads at once: their rows, what they did, what they bought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from dripline.engine.calendar import zone_of
from dripline.engine.scope import lead_scope
from dripline.engine.segments import back
from dripline.ingest.membership.orders import Bought, bought_by, minor
from dripline.language.expressions import EvaluationError, compile_expression, revive
from dripline.language.fields import Times, times_of
from dripline.language.segments import DidNotEntry, Members, NotBoughtEntry
from dripline.language.workspace import Workspace
from dripline.store.leads import facts
from dripline.store.schema import events

WHEN = func.coalesce(events.c.occurred_at, events.c.received_at)
"""When an event truly happened, as far as was said: imported history counts at its own time."""


@dataclass
class Crowd:
    """Some leads, and what is asked about them, each thing read once for all of them."""

    connection: Connection
    workspace: Workspace
    now: datetime
    rows: Sequence[Row[Any]]
    _did: dict[DidNotEntry, Mapping[str, int]] = field(default_factory=dict)
    _bought: dict[NotBoughtEntry, Mapping[str, Bought]] = field(default_factory=dict)

    def each(self) -> list[OfOne]:
        """What is known of each of them, in their order."""
        return [OfOne(self, row) for row in self.rows]

    @cached_property
    def ids(self) -> list[str]:
        """Their ids."""
        return [row.id for row in self.rows]

    @cached_property
    def times(self) -> Times:
        """Those of the leads' attributes that are times."""
        return times_of(self.workspace.attributes)

    def did(self, entry: DidNotEntry) -> Mapping[str, int]:
        """How often each lead did that; a lead that never did is missing."""
        if entry not in self._did:
            self._did[entry] = self._count(entry)
        return self._did[entry]

    def bought(self, entry: NotBoughtEntry) -> Mapping[str, Bought]:
        """What each lead bought of that; a lead that never did is missing."""
        if entry not in self._bought:
            since = back(self.now, entry.within, self.workspace.zone)
            self._bought[entry] = bought_by(self.connection, self.ids, entry, since, self.workspace.currency)
        return self._bought[entry]

    def _count(self, entry: DidNotEntry) -> Mapping[str, int]:
        mine: list[ColumnElement[bool]] = [events.c.lead_id.in_(self.ids), events.c.name.in_(entry.event)]
        since = back(self.now, entry.within, self.workspace.zone)
        if since is not None:
            mine.append(since < WHEN)
        if entry.when is None:
            query = select(events.c.lead_id, func.count()).where(*mine).group_by(events.c.lead_id)
            return {row[0]: row[1] for row in self.connection.execute(query)}
        told = select(events.c.lead_id, events.c.name, events.c.properties).where(*mine)
        return Counter(
            row.lead_id
            for row in self.connection.execute(told)
            if self._counts(entry.when, row.name, row.properties)
        )

    def _counts(self, when: str, name: str, properties: Mapping[str, Any]) -> bool:
        types = times_of(self.workspace.events.get(name, {}))
        try:
            return compile_expression(when).holds({"event": {**revive(properties, types), "name": name}})
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
        lead, workspace = facts(self.row), self.crowd.workspace
        now = self.crowd.now.astimezone(zone_of(self.row.timezone, self.row.country, workspace.timezone))
        return {"lead": lead_scope(lead, self.crowd.times), "now": now, "today": now.date()}

    def did(self, entry: DidNotEntry) -> int:
        """How often the lead did that."""
        return self.crowd.did(entry).get(self.row.id, 0)

    def bought(self, entry: NotBoughtEntry) -> tuple[int, int]:
        """How many such orders it placed, and for how much in the currency that is asked for (minor units)."""
        return self.crowd.bought(entry).get(self.row.id, (0, 0))

    def wanted(self, entry: NotBoughtEntry) -> int:
        """How much had to be spent, in minor units; 0: nothing is asked for."""
        return minor(entry, self.crowd.workspace.currency)[0]

    def segment(self, name: str) -> Members:
        """The segment of that name."""
        return self.crowd.workspace.segments[name]


__all__ = ["WHEN", "Crowd", "OfOne"]
