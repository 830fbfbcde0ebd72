"""Leads entering and leaving segments: decided and written under the lead's lock, and told to journeys."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.membership.facts import Crowd
from dripline.language.membership import SegmentRules
from dripline.store.events import Event
from dripline.store.segments import known_segments, put

ENTERED, LEFT = "segment.entered", "segment.left"


@dataclass(frozen=True)
class Moved:
    """In which segments a lead is now, and which it has entered and left."""

    names: frozenset[str]
    entered: frozenset[str]
    left: frozenset[str]

    @property
    def touches(self) -> frozenset[str]:
        """The segments of which it is another."""
        return self.entered | self.left

    def __bool__(self) -> bool:
        return bool(self.touches)


def judge(crowd: Crowd, names: Collection[str]) -> Mapping[str, Moved]:
    """Of each lead of the crowd, what has changed in these segments. Those that there are no more are left."""
    found = {}
    for one in crowd.each():
        before = frozenset(one.row.segments or ())
        rest = before & crowd.rules.segments.keys() - frozenset(names)
        now = rest | frozenset(name for name in names if one.is_in(name))
        found[one.row.id] = Moved(now, now - before, before - now)
    return found


def move(
    connection: Connection, lead: Row[Any], rules: SegmentRules, moved: Moved, cause: Event
) -> tuple[Event, ...]:
    """Write where the lead is now; the events that tell of it, which follow `cause`. The lead is locked.

    Of a segment that is new, or goes by another rule than before, nobody is told until everybody was looked at.
    """
    put(connection, {lead.id: moved.names}, cause.received_at)
    if cause.historical:
        return ()
    known = known_segments(connection, rules.digests)
    ways = ((LEFT, moved.left), (ENTERED, moved.entered))
    return tuple(_told(lead.id, what, name, cause) for what, names in ways for name in sorted(names & known))


def _told(lead_id: str, what: str, segment: str, cause: Event) -> Event:
    named = hashlib.sha256(f"{cause.id}\x1f{lead_id}\x1f{what}\x1f{segment}".encode()).hexdigest()[:40]
    return Event(named, lead_id, what, {"segment": segment}, cause.received_at, depth=cause.depth)


def at_a_moment(lead_id: str, at: datetime) -> Event:
    """What stands for the passing of time, as the cause of entering or leaving."""
    return Event(f"{lead_id}@{at.isoformat()}", lead_id, "", {}, at)


__all__ = ["ENTERED", "LEFT", "Moved", "at_a_moment", "judge", "move"]
