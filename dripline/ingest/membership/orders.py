"""What leads bought, counted for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from dripline.language.money import to_minor
from dripline.language.segments import BoughtEntry, NotBoughtEntry
from dripline.store.schema import order_items, orders

Bought = tuple[int, int]
"""How many orders, and for how much (minor units)."""


def bought_by(
    connection: Connection,
    lead_ids: Sequence[str],
    entry: NotBoughtEntry,
    since: datetime | None,
    currency: str | None,
) -> Mapping[str, Bought]:
    """How many such orders each of the leads placed since then, and for how much, less what was refunded."""
    _, wanted = minor(entry, currency)
    paid = func.sum(case((orders.c.currency == wanted, orders.c.total - orders.c.refunded), else_=0))
    query = (
        select(orders.c.lead_id, func.count(), paid)
        .where(orders.c.lead_id.in_(lead_ids), *conditions(entry, since))
        .group_by(orders.c.lead_id)
    )
    return {row[0]: (row[1], int(row[2])) for row in connection.execute(query)}


def conditions(entry: NotBoughtEntry, since: datetime | None) -> list[ColumnElement[bool]]:
    """Which orders count: not those of which nothing is left."""
    found: list[ColumnElement[bool]] = [not_refunded()]
    if since is not None:
        found.append(orders.c.at > since)
    if entry.product is not None:
        of_it: Any = select(order_items.c.order_id).where(
            order_items.c.order_id == orders.c.id, order_items.c.product_id.in_(entry.product)
        )
        found.append(of_it.exists())
    return found


def not_refunded() -> ColumnElement[bool]:
    """Whether something is left of an order."""
    return or_(orders.c.refunded == 0, orders.c.refunded < orders.c.total)


def minor(entry: NotBoughtEntry, currency: str | None) -> tuple[int, str | None]:
    """How much had to be spent (minor units, 0 where nothing is asked for), and in which currency."""
    if not isinstance(entry, BoughtEntry) or entry.spent is None:
        return 0, currency
    amount, said = entry.spent
    named = said or currency or ""
    return to_minor(amount, named), named


__all__ = ["Bought", "bought_by", "conditions", "minor", "not_refunded"]
