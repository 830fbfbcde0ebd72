"""What was bought, and what of it was given back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from dripline.language.orders import Ordered
from dripline.store.database import insert_into
from dripline.store.schema import order_items, orders


def keep_order(
    connection: Connection, lead_id: str, order: Ordered, at: datetime, event_id: str | None
) -> int | None:
    """Keep an order, once by its reference; its id, or None where it is known already. The lead is locked."""
    row = {
        "reference": order.reference,
        "lead_id": lead_id,
        "at": at,
        "total": order.total,
        "currency": order.currency,
        "event_id": event_id,
    }
    statement = (
        insert_into(connection, orders).values(row).on_conflict_do_nothing(index_elements=["reference"])
    )
    order_id: int | None = connection.execute(statement.returning(orders.c.id)).scalar_one_or_none()
    if order_id is not None and order.items:
        connection.execute(
            insert(order_items),
            [
                {
                    "order_id": order_id,
                    "number": number,
                    "product_id": item.product,
                    "quantity": item.quantity,
                    "price": item.price,
                }
                for number, item in enumerate(order.items, 1)
            ],
        )
    return order_id


def refund_order(connection: Connection, order_id: int, refunded: int, at: datetime) -> None:
    """What has been given back of an order by now, in minor units."""
    connection.execute(
        update(orders).where(orders.c.id == order_id).values(refunded=refunded, refunded_at=at)
    )


def find_order(connection: Connection, reference: str) -> Row[Any] | None:
    """The order of that reference, or None."""
    return connection.execute(select(orders).where(orders.c.reference == reference)).one_or_none()


def orders_of(connection: Connection, lead_ids: Collection[str]) -> list[Row[Any]]:
    """The orders of these leads, oldest first."""
    query = select(orders).where(orders.c.lead_id.in_(lead_ids)).order_by(orders.c.at, orders.c.id)
    return list(connection.execute(query))


def items_of(connection: Connection, order_ids: Collection[int]) -> list[Row[Any]]:
    """The lines of these orders."""
    query = select(order_items).where(order_items.c.order_id.in_(order_ids))
    return list(connection.execute(query.order_by(order_items.c.order_id, order_items.c.number)))
