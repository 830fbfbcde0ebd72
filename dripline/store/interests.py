"""What leads have looked at, asked for and bought."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, or_, select, update

from dripline.store.database import insert_into
from dripline.store.schema import interests, order_items, orders, products

SAID = ("viewed", "carted", "wanted", "deferred")
"""The kinds of interests that are no purchase."""


def interests_in(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """Everything that the lead has said of products, the newest first."""
    query = select(interests).where(interests.c.lead_id == lead_id)
    return list(
        connection.execute(
            query.order_by(interests.c.last_at.desc(), interests.c.product_id, interests.c.kind)
        )
    )


def save_interest(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert or replace an interest. The lead is locked."""
    statement = insert_into(connection, interests).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["lead_id", "product_id", "kind"],
            set_={name: row[name] for name in ("times", "first_at", "last_at", "until", "due_at")},
        )
    )


def bought_by(connection: Connection, lead_id: str, among: Collection[str] | None = None) -> list[Row[Any]]:
    """What the lead bought (of these products), by its orders, less those given back whole; the newest first."""
    query = (
        select(
            order_items.c.product_id,
            func.count(orders.c.id.distinct()).label("times"),
            func.min(orders.c.at).label("first_at"),
            func.max(orders.c.at).label("last_at"),
        )
        .join(orders, orders.c.id == order_items.c.order_id)
        .where(orders.c.lead_id == lead_id, or_(orders.c.refunded < orders.c.total, orders.c.total == 0))
        .group_by(order_items.c.product_id)
        .order_by(func.max(orders.c.at).desc(), order_items.c.product_id)
    )
    if among is not None:
        query = query.where(order_items.c.product_id.in_(among))
    return list(connection.execute(query))


def interested(
    connection: Connection, product_id: str, since: datetime, after: str | None, limit: int
) -> list[str]:
    """Leads with an interest in the product that was renewed since then and that no purchase has met, by id."""
    bought = interests.alias("bought")
    met = exists().where(
        bought.c.lead_id == interests.c.lead_id,
        bought.c.product_id == product_id,
        bought.c.kind == "bought",
        bought.c.last_at >= interests.c.last_at,
    )
    query = (
        select(interests.c.lead_id)
        .where(
            interests.c.product_id == product_id,
            interests.c.kind.in_(SAID),
            interests.c.last_at > since,
            ~met,
        )
        .distinct()
        .order_by(interests.c.lead_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(interests.c.lead_id > after)
    return list(connection.execute(query).scalars())


def count_interested(connection: Connection, product_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many leads have said what of these products: by product and kind."""
    query = (
        select(interests.c.product_id, interests.c.kind, func.count().label("leads"))
        .where(interests.c.product_id.in_(product_ids))
        .group_by(interests.c.product_id, interests.c.kind)
    )
    return {(row.product_id, row.kind): row.leads for row in connection.execute(query)}


def used_up(connection: Connection, by: datetime, limit: int) -> list[Row[Any]]:
    """Purchases that are used up by then and of which nobody was told, the oldest first; of the catalogue."""
    in_it = exists().where(products.c.id == interests.c.product_id, products.c.archived_at.is_(None))
    query = select(interests).where(interests.c.due_at <= by, in_it)
    return list(connection.execute(query.order_by(interests.c.due_at).limit(limit)))


def told_due(connection: Connection, row: Row[Any]) -> bool:
    """The lead has been told that it is used up; False where it has bought it again meanwhile."""
    done = connection.execute(
        update(interests)
        .where(
            and_(
                interests.c.lead_id == row.lead_id,
                interests.c.product_id == row.product_id,
                interests.c.kind == row.kind,
                interests.c.due_at == row.due_at,
            )
        )
        .values(due_at=None)
    )
    return done.rowcount == 1
