"""What was bought together: counted out of the orders, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from dripline.store.database import insert_into
from dripline.store.schema import order_items, orders, product_pairs, products

Counted = tuple[int, int, int, int]
"""Orders that had both, the one, the other; and all orders."""

_COLUMNS = ("both", "of", "with_other", "all")


def _kept(since: datetime) -> Any:
    """Orders that count: since then, and not given back whole."""
    return (orders.c.at > since) & or_(orders.c.refunded < orders.c.total, orders.c.total == 0)


def newest_item(connection: Connection) -> int:
    """The id of the newest order with lines; 0 where there is none."""
    newest: int = connection.execute(select(func.coalesce(func.max(order_items.c.order_id), 0))).scalar_one()
    return newest


def count_orders(connection: Connection, since: datetime) -> int:
    """Orders with lines."""
    query = (
        select(func.count(orders.c.id.distinct()))
        .join(order_items, order_items.c.order_id == orders.c.id)
        .where(_kept(since))
    )
    return connection.execute(query).scalar_one()


def count_products(connection: Connection, since: datetime) -> dict[str, int]:
    """By product, the orders that had it."""
    query = (
        select(order_items.c.product_id, func.count(orders.c.id.distinct()).label("number"))
        .join(orders, order_items.c.order_id == orders.c.id)
        .where(_kept(since))
        .group_by(order_items.c.product_id)
    )
    return {row.product_id: row.number for row in connection.execute(query)}


def count_pairs(connection: Connection, since: datetime, least: int) -> list[tuple[str, str, int]]:
    """Two products, the smaller id first, and the orders that had both: at least so many."""
    lines = select(order_items.c.order_id, order_items.c.product_id).distinct()
    one, other = lines.subquery("one"), lines.subquery("other")
    query = (
        select(one.c.product_id, other.c.product_id, func.count())
        .join(other, (other.c.order_id == one.c.order_id) & (other.c.product_id > one.c.product_id))
        .join(orders, orders.c.id == one.c.order_id)
        .where(_kept(since))
        .group_by(one.c.product_id, other.c.product_id)
        .having(func.count() >= least)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def kept_pairs(connection: Connection) -> dict[tuple[str, str], Counted]:
    """What was counted last."""
    return {
        (row.product_id, row.other_id): (row.both, row.of, row.with_other, row.all)
        for row in connection.execute(select(product_pairs))
    }


def save_pairs(connection: Connection, pairs: Sequence[tuple[tuple[str, str], Counted]]) -> None:
    """Insert these counts, or replace what was there."""
    statement = insert_into(connection, product_pairs)
    statement = statement.on_conflict_do_update(
        index_elements=["product_id", "other_id"],
        set_={name: statement.excluded[name] for name in _COLUMNS},
    )
    rows = [
        {"product_id": one, "other_id": other, **dict(zip(_COLUMNS, counts, strict=True))}
        for (one, other), counts in pairs
    ]
    connection.execute(statement, rows)


def drop_pairs(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Forget these."""
    statement = delete(product_pairs).where(
        product_pairs.c.product_id == bindparam("one"), product_pairs.c.other_id == bindparam("two")
    )
    connection.execute(statement, [{"one": one, "two": other} for one, other in keys])


def counted_products(connection: Connection) -> dict[str, int]:
    """By product of the catalogue, in how many orders it was when that was counted last."""
    query = select(products.c.id, products.c.ordered)
    return {row.id: row.ordered for row in connection.execute(query)}


def set_ordered(connection: Connection, numbers: Sequence[tuple[str, int]]) -> None:
    """In how many orders each was."""
    statement = (
        update(products).where(products.c.id == bindparam("product")).values(ordered=bindparam("number"))
    )
    connection.execute(statement, [{"product": id_, "number": number} for id_, number in numbers])
