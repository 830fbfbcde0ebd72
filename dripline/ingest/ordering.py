"""Orders: made of the events that the workspace file says are orders, each once by its reference."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from dripline.language.orders import OrderRules, Unreadable, minor, read_order, read_refund
from dripline.language.rules import Rules
from dripline.store.events import Event
from dripline.store.orders import find_order, keep_order, refund_order
from dripline.store.strays import Stray, note_strays


def keep_orders(connection: Connection, rules: Rules, event: Event, machine_now: datetime) -> int | None:
    """Keep the order or the refund that the event says, if it says one; the id of an order that is new.

    The lead is locked. What cannot be read is no order: the event stays, and the property is counted among the
    strays (`dripline strays`).
    """
    orders = rules.orders
    if orders is None:
        return None
    try:
        if event.name == orders.event:
            order = read_order(orders, event.properties, rules.currency)
            return keep_order(connection, event.lead_id, order, when(event), event.id)
        if orders.refund is not None and event.name == orders.refund.event:
            _refund(connection, orders, event)
    except Unreadable as problem:
        stray = Stray("property", event.name, problem.field, f"it {problem}, so that there is no order")
        note_strays(connection, {stray: 1}, machine_now)
    return None


def when(event: Event) -> datetime:
    """When it happened: as the caller says, where that is not in the future."""
    if event.occurred_at is None:
        return event.received_at
    return min(event.occurred_at, event.received_at)


def _refund(connection: Connection, rules: OrderRules, event: Event) -> None:
    """Refunds add up, to no more than was paid. An order of nobody here, or of another lead, is left alone."""
    assert rules.refund is not None  # the caller has seen it
    said = read_refund(rules.refund, event.properties)
    order = find_order(connection, said.reference)
    if order is None or order.lead_id != event.lead_id:
        raise Unreadable(rules.refund.id.removeprefix("event."), "names no order of this lead")
    back = order.total if said.total is None else order.refunded + minor(said.total, order.currency)
    refund_order(connection, order.id, min(order.total, back), when(event))
