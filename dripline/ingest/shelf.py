"""All that recommendations to a lead are made of, out of the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine.recommending import Interest, Pair, Pick, Product, Shelf, recommend
from dripline.language.recommending import MOST
from dripline.store.interests import SAID, bought_by, interests_in
from dripline.store.products import best_sold, by_ids, pairs_of
from dripline.store.rules import current_rules

_SOURCES = 50
"""Products of a lead, the newest first, from which recommendations go out."""


def recommended(connection: Connection, lead_id: str, at: datetime) -> list[Pick]:
    """What there is to recommend to the lead at that moment, way by way, the best of each first."""
    return recommend(shelf_for(connection, lead_id, current_rules(connection).products.interest_lasts), at)


def shelf_for(connection: Connection, lead_id: str, lasts: timedelta) -> Shelf:
    """What recommendations to the lead are made of."""
    said = [as_interest(row) for row in interests_in(connection, lead_id) if row.kind in SAID]
    bought = [
        Interest(row.product_id, "bought", row.times, row.first_at, row.last_at)
        for row in bought_by(connection, lead_id)
    ]
    own = list(dict.fromkeys(one.product for one in (*bought, *said)))[:_SOURCES]
    pairs = [
        Pair(row.product_id, row.other_id, row.both, row.of, row.with_other, row.all)
        for row in (pairs_of(connection, own) if own else ())
    ]
    rows = by_ids(connection, {*own, *(pair.other for pair in pairs)})
    named = {id_ for one in own if one in rows for id_ in (*rows[one].related, rows[one].upgrade)}
    rows |= by_ids(connection, {id_ for id_ in named if id_ is not None} - rows.keys())
    rows |= {row.id: row for row in best_sold(connection, MOST + len(own))}
    return Shelf({id_: as_product(row) for id_, row in rows.items()}, (*bought, *said), pairs, lasts)


def as_product(row: Row[Any]) -> Product:
    """A row as recommendations know it."""
    return Product(
        id=row.id,
        title=row.title,
        category=row.category,
        price=row.price,
        currency=row.currency,
        url=row.url,
        image=row.image,
        related=tuple(row.related),
        upgrade=row.upgrade,
        replenish_days=row.replenish_days,
        in_stock=row.in_stock,
        orders=row.ordered,
    )


def as_interest(row: Row[Any]) -> Interest:
    """A row as recommendations know it."""
    return Interest(row.product_id, row.kind, row.times, row.first_at, row.last_at)
