"""Addresses that take nothing for the moment: after several messages in a row, over some time, they are given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select

from dripline.providers import DeliveryReport
from dripline.store.house import House
from dripline.store.schema import messages
from dripline.store.suppressions import SOFT, count_soft_bounce, forget_bounces, lift, suppress, suppression

_ARRIVED = ("delivered", "opened", "clicked")
_MESSAGE = select(
    messages.c.id, messages.c.channel, messages.c.recipient, messages.c.delivered_at, messages.c.notice
)


@dataclass(frozen=True)
class Patience:
    """An address is given up when `times` messages in a row were refused, the first and the last `over` apart."""

    times: int = 3
    over: timedelta = timedelta(days=14)


AS_COMMON = Patience()
"""What is common practice among senders: three times over at least two weeks."""


def mind_bounces(connection: Connection, house: House, report: DeliveryReport, patience: Patience) -> None:
    """Count what an address refused for the moment, or forget it where a message arrived. The lead is locked.

    `report.at` is house time. What is said of a message that arrived, later or out of order, counts no more.
    """
    row = connection.execute(_MESSAGE.where(messages.c.id == report.key)).one_or_none()
    if row is None or not row.recipient or row.notice:
        return
    address = house.address_hash(row.channel, row.recipient)
    if report.kind in _ARRIVED:
        forget_bounces(connection, row.channel, address)
        entry = suppression(connection, row.channel, address)
        if entry is not None and entry.reason == SOFT:
            lift(connection, row.channel, address)
    elif report.soft and row.delivered_at is None:
        times, apart = count_soft_bounce(connection, row.channel, address, row.id, report.at)
        if times >= patience.times and apart >= patience.over:
            suppress(connection, row.channel, address, SOFT, report.at)
