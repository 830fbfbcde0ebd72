"""What becomes of a message, told to journeys as an event of its lead: once each, however often it is reported.

An event that no published journey and no run of the lead names is not recorded: the ledger has the fact all the same,
and a million opens that nobody waits for leave a million rows less.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, union

from dripline.ingest.recording import record
from dripline.language.tracking import MESSAGE_EVENTS
from dripline.store.events import Event
from dripline.store.leads import lock_survivor
from dripline.store.plans import load_plan
from dripline.store.schema import journeys, runs

_SAID: Mapping[tuple[str, str], str] = {
    ("email", "delivered"): "email.delivered",
    ("email", "opened"): "email.opened",
    ("email", "clicked"): "email.clicked",
    ("email", "bounced"): "email.bounced",
    ("email", "failed"): "email.failed",
    ("email", "complained"): "email.complained",
    ("sms", "delivered"): "sms.delivered",
    ("sms", "clicked"): "sms.clicked",
    ("sms", "bounced"): "sms.failed",
    ("sms", "failed"): "sms.failed",
}
"""By channel and kind of report, the event that tells of it."""

_PLANS = union(
    select(journeys.c.plan_hash),
    select(runs.c.plan_hash).where(runs.c.lead_id == bindparam("lead"), runs.c.ended_at.is_(None)),
)


def tell(
    connection: Connection,
    message: Row[Any],
    kind: str,
    at: datetime,
    machine_now: datetime,
    *,
    link: str | None = None,
    reason: str | None = None,
) -> None:
    """Record what became of a message (a row of the ledger) at `at`, house time, if anybody listens.

    Locks the lead. A notice to a colleague, and what has no event, is passed over; so is an erased lead.
    """
    name = _SAID.get((message.channel, kind))
    if name is None or message.notice:
        return
    lead = lock_survivor(connection, message.lead_id)
    if lead is None or lead.erased_at is not None or not _heard(connection, lead.id, name):
        return
    said = {
        "message": message.id,
        "template": message.template,
        "journey": message.journey,
        "run": message.run_id,
        "step": message.step,
        "link": link,
        "reason": reason,
    }
    properties = {key: said[key] for key in MESSAGE_EVENTS[name] if said[key] is not None}
    record(connection, Event(_id(message.id, name, link), lead.id, name, properties, at), machine_now)


def _heard(connection: Connection, lead: str, name: str) -> bool:
    hashes = connection.execute(_PLANS, {"lead": lead}).scalars()
    return any(name in load_plan(connection, plan_hash).awaited for plan_hash in hashes)


def _id(message: str, name: str, link: str | None) -> str:
    which = f".{hashlib.sha256(link.encode()).hexdigest()[:16]}" if link else ""
    return f"{message}.{name}{which}"


__all__ = ["tell"]
