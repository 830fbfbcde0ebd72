"""What follows from an event for the segments that its lead is in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.membership.facts import Crowd
from dripline.ingest.membership.moving import judge, move
from dripline.language.membership import SegmentRules
from dripline.store.events import Event


def follow_event(
    connection: Connection, rules: SegmentRules | None, lead: Row[Any], event: Event
) -> tuple[Event, ...]:
    """Let the lead enter and leave segments by what has just happened; the events that tell of it."""
    if rules is None:
        return ()
    names = rules.by_event.get(event.name, frozenset()) | rules.by_any_event
    if not names:
        return ()
    moved = judge(Crowd(connection, rules, event.received_at, [lead]), names)[lead.id]
    return move(connection, lead, rules, moved, event) if moved else ()


__all__ = ["follow_event"]
