"""What a change of stage leaves behind: its log, a customer's card, and the events that are to tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row

from dripline.language.stages import CUSTOMER, LOST, stage_events
from dripline.store.assignments import end_assignments, note_reaction
from dripline.store.customers import add_customer, customer_of
from dripline.store.events import Event
from dripline.store.leads import change_lead, load_lead
from dripline.store.stages import add_change

_BY_PEOPLE = ("api", "command", "page")
"""Who changes a stage by these has reacted to the lead."""


@dataclass(frozen=True)
class StageChange:
    """From which stage to which, why, and who says so."""

    before: str | None
    after: str | None
    source: str
    """api | journey | order | command | import | …"""
    reason: str | None = None
    order: str | None = None
    """The order that made the lead a customer."""
    run: Row[Any] | None = None
    """The run whose step changed it."""
    historical: bool = False
    silent: bool = False
    """Whether another event tells of it: the lead is new."""


def keep_stage(
    connection: Connection, lead_id: str, change: StageChange, at: datetime, depth: int = 0
) -> tuple[Event, ...]:
    """Keep the change of a lead's stage, which is written already; the events to be recorded. The lead is locked."""
    if change.before == change.after:
        return ()
    lead = load_lead(connection, lead_id)
    converted = change.after == CUSTOMER and customer_of(connection, lead_id) is None
    add_change(connection, {"lead_id": lead_id, "at": at, "owner": lead.owner, **_logged(change)})
    if converted:
        add_customer(connection, lead, at, change.order)
    if change.source in _BY_PEOPLE:
        note_reaction(connection, lead_id, at)
    if change.after in (CUSTOMER, LOST):
        end_assignments(connection, lead_id, at, "converted" if change.after == CUSTOMER else "lost")
    if change.silent:
        return ()
    told = stage_events(
        change.before, change.after, reason=change.reason, order=change.order, converted=converted
    )
    return tuple(
        Event(
            str(uuid_utils.uuid7()),
            lead_id,
            name,
            properties,
            at,
            historical=change.historical,
            depth=change.run.depth + 1 if change.run else depth,
        )
        for name, properties in told
    )


def become_customer(connection: Connection, lead: Row[Any], order: str, event: Event) -> tuple[Event, ...]:
    """Make the lead (locked) a customer by an order, unless it is one; the events to be recorded."""
    if lead.stage == CUSTOMER:
        return ()
    at = event.received_at
    change_lead(connection, lead.id, {"stage": CUSTOMER, "stage_at": at}, max(lead.updated_at, at))
    change = StageChange(lead.stage, CUSTOMER, "order", order=order)
    told = keep_stage(connection, lead.id, change, at, event.depth)
    updated = {"changed": ["stage"]}
    first = Event(str(uuid_utils.uuid7()), lead.id, "lead.updated", updated, at, depth=event.depth)
    return (first, *told)


def _logged(change: StageChange) -> dict[str, Any]:
    return {
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
        "source": change.source,
        "run_id": change.run.id if change.run else None,
        "journey": change.run.journey if change.run else None,
    }
