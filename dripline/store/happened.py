"""What came in from outside since a day, lead by lead: for playing it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from dripline.store.leads import facts
from dripline.store.schema import events, leads

_BATCH = 500


@dataclass(frozen=True)
class Past:
    """A lead as it is today, and its events, oldest first: when, what, with what."""

    lead: Mapping[str, Any]
    events: tuple[tuple[datetime, str, Mapping[str, Any]], ...]


def happened(connection: Connection, since: datetime) -> Iterator[Past]:
    """Every lead with an event since then. What journeys themselves set going is left out, and imported history."""
    wanted = (events.c.received_at >= since, events.c.historical.is_(False), events.c.depth == 0)
    ids = list(connection.execute(select(events.c.lead_id).where(*wanted).distinct()).scalars())
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        found: dict[str, list[tuple[datetime, str, Mapping[str, Any]]]] = {}
        query = select(events).where(*wanted, events.c.lead_id.in_(batch))
        for row in connection.execute(query.order_by(events.c.received_at, events.c.seq)):
            found.setdefault(row.lead_id, []).append((row.received_at, row.name, row.properties))
        for lead in connection.execute(
            select(leads).where(leads.c.id.in_(batch), leads.c.erased_at.is_(None))
        ):
            yield Past(facts(lead), tuple(found[lead.id]))
