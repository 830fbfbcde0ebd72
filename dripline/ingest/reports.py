"""What a provider reports of a message: kept in the ledger, and minded by everything that comes after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.agreeing import Source, log_changes
from dripline.ingest.bouncing import AS_COMMON, Patience, mind_bounces
from dripline.ingest.message_events import tell
from dripline.ingest.recording import record, record_change
from dripline.providers import DeliveryReport
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.hits import HIT_OF, once
from dripline.store.house import House, open_house
from dripline.store.leads import change_lead, facts, lock_survivor
from dripline.store.messages import record_report
from dripline.store.schema import messages
from dripline.store.suppressions import SUPPRESSING, suppress
from dripline.tracking.machines import BY_PROVIDER

_LEAVING = ("unsubscribed", "complained")


def take_report(
    store: Store,
    report: DeliveryReport,
    secret: str | None = None,
    machine: MachineClock = machine_clock,
    patience: Patience = AS_COMMON,
) -> None:
    """Keep a verified report, suppress the address where it asks for that, and tell the lead's runs.

    `patience` is how long an address may refuse messages for the moment.
    A report of a message that is not ours is no error; it never creates a lead.
    """
    with store.write() as connection:
        house = open_house(connection, secret)
        query = select(messages.c.lead_id, messages.c.channel, messages.c.recipient, messages.c.notice)
        message = connection.execute(query.where(messages.c.id == report.key)).one_or_none()
        if message is None:
            return
        lead = lock_survivor(connection, message.lead_id)
        now = machine()
        known = replace(report, at=house.clock.to_house(report.at))
        if lead is None or lead.erased_at is not None:
            known = replace(known, reason=None)  # providers quote the address
        if not _is_wanted(known, lead):
            return
        before = record_report(connection, known, now)
        if before is not None:
            _tell(connection, before, known, now)
        if report.kind in SUPPRESSING and message.recipient:
            address = house.address_hash(message.channel, message.recipient)
            suppress(connection, message.channel, address, SUPPRESSING[report.kind], known.at)
        mind_bounces(connection, house, known, patience)
        if report.kind in _LEAVING and not message.notice and lead is not None and lead.erased_at is None:
            _let_go(connection, house, lead, message.channel, known, now)


_FACTS = {
    "delivered": "delivered_at",
    "opened": "first_opened_at",
    "bounced": "bounced_at",
    "failed": "failed_at",
    "complained": "complained_at",
}
"""What a row says of these kinds already, if they were reported before."""


def _is_wanted(report: DeliveryReport, lead: Row[Any] | None) -> bool:
    """What a lead does with its messages is not kept where it does not want that."""
    if report.kind not in HIT_OF:
        return True
    return lead is not None and lead.erased_at is None and lead.tracking is not False


def _tell(connection: Connection, before: Row[Any], report: DeliveryReport, now: datetime) -> None:
    """Let the lead's journeys hear of it, and keep the opens and clicks that the provider saw."""
    if report.kind in HIT_OF:
        machine = BY_PROVIDER if report.by_machine else None
        once(connection, before.id, HIT_OF[report.kind], report.at, report.link, machine)
    if report.by_machine or getattr(before, _FACTS.get(report.kind, ""), None) is not None:
        return
    tell(connection, before, report.kind, report.at, now, link=report.link, reason=report.reason)


def _let_go(
    connection: Connection, house: House, lead: Row[Any], channel: str, report: DeliveryReport, now: datetime
) -> None:
    """Take back the lead's consent to the channel, and say so to its runs: once, however often it is reported."""
    received_at = house.clock.to_house(now)
    event_id = f"{report.key}.{report.kind}"
    event = Event(event_id, lead.id, "lead.unsubscribed", {"channel": channel}, received_at)
    if record(connection, event, now).new and lead.consent.get(channel) is not False:
        after = {"consent": {**lead.consent, channel: False}, "topics": lead.topics}
        change_lead(connection, lead.id, {"consent": after["consent"]}, received_at)
        source = Source("provider", {"message": report.key, "report": report.kind})
        log_changes(connection, lead.id, facts(lead), after, source, received_at, event_id)
        record_change(connection, event_id, lead.id, "consent", received_at, now)
