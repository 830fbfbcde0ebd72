"""What follows from orders for those who brought their buyers: a reward is held back, or is none any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from dripline.engine.calendar import add, zone
from dripline.ingest.referring.joining import Arrival, join
from dripline.ingest.refusal import Refused
from dripline.language.orders import Unreadable, read_refund
from dripline.language.rules import Rules
from dripline.language.terms import Terms
from dripline.store import referrals
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.orders import find_order
from dripline.store.schema import orders

_OPEN = (referrals.JOINED, referrals.RETURNED)
"""The states in which an order counts."""

_log = structlog.get_logger(__name__)


def follow_referrals(connection: Connection, rules: Rules, lead: Row[Any], event: Event) -> tuple[Event, ...]:
    """What an event of the lead, which is locked, means for who brought it. Answers what is to be told of the lead.

    Its orders are kept already. What is imported as history means nothing: nobody was promised anything then.
    """
    if event.historical or not rules.referrals:
        return ()
    told = tuple(_joined(connection, rules, lead, event))
    if rules.orders is not None and event.name == rules.orders.event:
        _bought(connection, rules, lead, event)
    refund = rules.orders.refund if rules.orders is not None else None
    if refund is not None and event.name == refund.event:
        try:
            order = find_order(connection, read_refund(refund, event.properties).reference)
        except Unreadable:  # counted where orders are kept
            order = None
        if order is not None and order.lead_id == lead.id:
            _gave_back(connection, order, event.received_at)
    return told


def _joined(connection: Connection, rules: Rules, lead: Row[Any], event: Event) -> Iterator[Event]:
    """Whose code the event tells. One that cannot be taken loses no event."""
    for program in rules.referrals.values():
        if event.name not in program.told_by or program.code is None:
            continue
        code = event.properties.get(program.code)
        if not isinstance(code, str) or not code.strip():
            continue
        came = Arrival(code, "event", event=event.id)
        try:
            done = join(connection, open_house(connection), rules, lead, came, event.received_at)
        except Refused as refusal:
            _log.info("referral-left", event_id=event.id, code=refusal.code)
            continue
        yield from done.told


def _bought(connection: Connection, rules: Rules, lead: Row[Any], event: Event) -> None:
    """The first order that counts: from then on the reward is held back for as long as was promised."""
    query = select(orders).where(orders.c.event_id == event.id, orders.c.lead_id == lead.id)
    order = connection.execute(query).one_or_none()
    if order is None:
        return
    counted: set[str] = set()
    for found in referrals.of_friend(connection, lead.id):
        if found.program in counted or referrals.is_spoken_for(connection, found):
            continue  # two leads who are one were brought twice: one of them counts
        terms = Terms.model_validate(found.terms)
        if found.state not in _OPEN or order.at < found.at or not _counts(terms, order):
            continue
        row = referrals.lock_referral(connection, found.id)
        if row.state not in _OPEN:
            continue
        counted.add(row.program)
        at: datetime = event.received_at
        referrals.change_referral(
            connection,
            row.id,
            state=referrals.PURCHASED,
            order_id=order.id,
            purchased_at=at,
            hold_until=add(at, terms.return_period, zone(rules.timezone)),
            due_at=at,  # to tell who brought the friend; after that it rests until the period is over
        )


def _gave_back(connection: Connection, order: Row[Any], at: datetime) -> None:
    for found in referrals.of_order(connection, order.id):
        row = referrals.lock_referral(connection, found.id)
        if row.state == referrals.PURCHASED and not _counts(Terms.model_validate(row.terms), order):
            referrals.change_referral(
                connection, row.id, state=referrals.RETURNED, hold_until=None, due_at=at
            )


def _counts(terms: Terms, order: Row[Any]) -> bool:
    """Whether what is left of the order is enough."""
    left = order.total - order.refunded
    if terms.min_order is None:
        return bool(left > 0)
    return bool(order.currency == terms.currency and left >= terms.min_order)


__all__ = ["follow_referrals"]
