"""The catalogue, and prices and stock as they went."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from dripline.store.database import insert_into
from dripline.store.schema import product_changes, product_pairs, products

What = Literal["price", "stock"]

_AT_ONCE = 500
"""Ids that one statement names."""


def find_product(connection: Connection, product_id: str, *, lock: bool = False) -> Row[Any] | None:
    """The product of that id, archived ones too, or None."""
    query = select(products).where(products.c.id == product_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def list_products(
    connection: Connection,
    *,
    category: str | None = None,
    words: str | None = None,
    archived: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Row[Any]]:
    """Products in the order of their ids; `words` are looked for in ids and titles, as they are written."""
    query = select(products).order_by(products.c.id).limit(limit)
    if not archived:
        query = query.where(products.c.archived_at.is_(None))
    if category is not None:
        query = query.where(products.c.category == category)
    if after is not None:
        query = query.where(products.c.id > after)
    if words:
        like = f"%{_escaped(words.lower())}%"
        query = query.where(
            or_(func.lower(products.c.id).like(like, escape="\\"), products.c.words.like(like, escape="\\"))
        )
    return list(connection.execute(query))


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def count_products(connection: Connection) -> int:
    """How many the catalogue has now."""
    query = select(func.count()).select_from(products).where(products.c.archived_at.is_(None))
    return connection.execute(query).scalar_one()


def by_ids(connection: Connection, ids: Collection[str]) -> dict[str, Row[Any]]:
    """The products of these ids that are not archived."""
    found: dict[str, Row[Any]] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(products).where(
            products.c.id.in_(wanted[start : start + _AT_ONCE]), products.c.archived_at.is_(None)
        )
        found |= {row.id: row for row in connection.execute(query)}
    return found


def best_sold(connection: Connection, limit: int) -> list[Row[Any]]:
    """Those that were in the most orders of the last year."""
    query = (
        select(products)
        .where(products.c.archived_at.is_(None), products.c.in_stock, products.c.ordered > 0)
        .order_by(products.c.ordered.desc(), products.c.id)
        .limit(limit)
    )
    return list(connection.execute(query))


def save_product(connection: Connection, values: Mapping[str, Any]) -> None:
    """Insert the product, or make it what `values` say."""
    words = " ".join(str(one) for one in values["title"].values()).lower()[:2_000]
    row = {**values, "words": words}
    statement = insert_into(connection, products).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={name: value for name, value in row.items() if name != "id"}
        )
    )


def archive(connection: Connection, product_id: str, at: datetime) -> bool:
    """Take a product out of the catalogue; False where it is out, or was never in."""
    done = connection.execute(
        update(products)
        .where(products.c.id == product_id, products.c.archived_at.is_(None))
        .values(archived_at=at, updated_at=at)
    )
    return done.rowcount == 1


def ids_from(connection: Connection, source: str) -> set[str]:
    """The products in the catalogue that came from there (`file` or `api`)."""
    query = select(products.c.id).where(products.c.source == source, products.c.archived_at.is_(None))
    return set(connection.execute(query).scalars())


# -- prices and stock as they went -------------------------------------------------------------------------------


def note_change(
    connection: Connection,
    product_id: str,
    what: What,
    before: int | None,
    after: int | None,
    at: datetime,
    *,
    news: bool,
) -> None:
    """Keep a change; one that is no `news` concerns nobody. What nobody was told of yet and is over is not told."""
    tell_no_more(connection, product_id, what, at)
    connection.execute(
        insert(product_changes).values(
            product_id=product_id,
            at=at,
            what=what,
            before=before,
            after=after,
            told_at=None if news else at,
        )
    )


def tell_no_more(connection: Connection, product_id: str, what: What, at: datetime) -> None:
    """What leads were still to be told of is over."""
    connection.execute(
        update(product_changes)
        .where(
            product_changes.c.product_id == product_id,
            product_changes.c.what == what,
            product_changes.c.told_at.is_(None),
        )
        .values(told_at=at)
    )


def untold(connection: Connection, product_id: str, what: What) -> Row[Any] | None:
    """The change of which leads are still to be told and none has been, or None."""
    query = select(product_changes).where(
        product_changes.c.product_id == product_id,
        product_changes.c.what == what,
        product_changes.c.told_at.is_(None),
        product_changes.c.told.is_(None),
    )
    return connection.execute(query.order_by(product_changes.c.id.desc()).limit(1)).one_or_none()


def changes_to_tell(connection: Connection, limit: int) -> list[Row[Any]]:
    """The changes of which leads are still to be told, oldest first."""
    query = select(product_changes).where(product_changes.c.told_at.is_(None))
    return list(connection.execute(query.order_by(product_changes.c.id).limit(limit)))


def changes_of(connection: Connection, product_id: str, limit: int = 50) -> list[Row[Any]]:
    """The newest changes of a product."""
    query = select(product_changes).where(product_changes.c.product_id == product_id)
    return list(connection.execute(query.order_by(product_changes.c.id.desc()).limit(limit)))


def told_up_to(connection: Connection, change_id: int, lead_id: str | None, at: datetime | None) -> None:
    """Leads up to that one have been told; with a time, everybody whom it concerns."""
    connection.execute(
        update(product_changes).where(product_changes.c.id == change_id).values(told=lead_id, told_at=at)
    )


def pairs_of(connection: Connection, ids: Collection[str], limit: int = 500) -> list[Row[Any]]:
    """What was bought together with these products, the most frequent first."""
    query = select(product_pairs).where(product_pairs.c.product_id.in_(ids))
    return list(
        connection.execute(
            query.order_by(
                product_pairs.c.both.desc(), product_pairs.c.product_id, product_pairs.c.other_id
            ).limit(limit)
        )
    )
