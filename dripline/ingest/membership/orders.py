"""What leads bought, counted for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from dripline.language.membership import Bought
from dripline.store.schema import order_items, orders


def bought_by(
    connection: Connection, lead_ids: Sequence[str], wanted: Bought, since: datetime | None
) -> Mapping[str, tuple[int, int]]:
    """How many such orders each of the leads placed since then, and for how much, less what was refunded."""
    paid = func.sum(case((orders.c.currency == wanted.currency, orders.c.total - orders.c.refunded), else_=0))
    query = (
        select(orders.c.lead_id, func.count(), paid)
        .where(orders.c.lead_id.in_(lead_ids), *bought_conditions(wanted, since))
        .group_by(orders.c.lead_id)
    )
    return {row[0]: (row[1], int(row[2])) for row in connection.execute(query)}


def bought_conditions(wanted: Bought, since: datetime | None) -> list[ColumnElement[bool]]:
    """Which orders count: not those of which nothing is left."""
    found: list[ColumnElement[bool]] = [not_refunded()]
    if since is not None:
        found.append(orders.c.at > since)
    if wanted.products is not None:
        of_it: Any = select(order_items.c.order_id).where(
            order_items.c.order_id == orders.c.id, order_items.c.product_id.in_(wanted.products)
        )
        found.append(of_it.exists())
    return found


def not_refunded() -> ColumnElement[bool]:
    """Whether something is left of an order."""
    return or_(orders.c.refunded == 0, orders.c.refunded < orders.c.total)


__all__ = ["bought_by", "bought_conditions", "not_refunded"]
