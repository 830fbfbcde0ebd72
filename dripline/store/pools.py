"""Pools: codes of somebody else's, imported, each given to one lead."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from dripline.language.offers import PoolEntry
from dripline.store.database import insert_into
from dripline.store.schema import discounts, pool_codes


@dataclass(frozen=True)
class Stock:
    """How many codes of a pool nobody has yet, of how many there were."""

    pool: str
    left: int
    all: int
    low: bool
    """Fewer than dripline.yaml wants; False of a pool that it no longer has."""
    declared: bool
    """Whether dripline.yaml has it (still)."""


@dataclass(frozen=True)
class Kept:
    """What became of codes that were to be added."""

    new: int
    known: int
    """The pool had them already: they stay as they are."""
    elsewhere: tuple[str, ...]
    """Left out: another pool has them, or a lead got them without this one."""


def keep_codes(connection: Connection, pool: str, codes: Mapping[str, str], at: datetime) -> Kept:
    """Add codes to a pool in their order, by how each is compared."""
    if connection.dialect.name == "postgresql":  # two pools at the same moment, or one code before another
        connection.execute(select(func.pg_advisory_xact_lock(zlib.crc32(b"pool codes"))))
    others = taken_elsewhere(connection, pool, list(codes))
    wanted = [one for one in codes.items() if one[0] not in others]
    new = add_codes(connection, pool, wanted, at)
    return Kept(new, len(wanted) - new, tuple(codes[plain] for plain in codes if plain in others))


def stock(connection: Connection, entries: Mapping[str, PoolEntry]) -> list[Stock]:
    """Of each pool that dripline.yaml has or that has had codes, by name."""
    known = left(connection)
    found = []
    for name in sorted({*known, *entries}):
        free, everything = known.get(name, (0, 0))
        low = name in entries and free < entries[name].low
        found.append(Stock(name, free, everything, low, name in entries))
    return found


def add_codes(connection: Connection, pool: str, codes: Iterable[tuple[str, str]], at: datetime) -> int:
    """Add codes (as they are compared, and as they are written) in their order; how many were new."""
    last: int = connection.execute(select(func.coalesce(func.max(pool_codes.c.number), 0))).scalar_one()
    new = 0
    for number, (plain, code) in enumerate(codes, last + 1):
        row = {"pool": pool, "plain_code": plain, "number": number, "code": code, "imported_at": at}
        statement = insert_into(connection, pool_codes).values(row).on_conflict_do_nothing()
        new += connection.execute(statement.returning(pool_codes.c.number)).one_or_none() is not None
    return new


def take_code(connection: Connection, pool: str) -> str | None:
    """The next code that nobody has; it is nobody else's as long as the transaction lasts. None: the pool is empty."""
    query = (
        select(pool_codes.c.code)
        .where(pool_codes.c.pool == pool, pool_codes.c.discount_id.is_(None))
        .order_by(pool_codes.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).scalar_one_or_none()


def give_code(connection: Connection, pool: str, code: str, discount_id: str) -> None:
    """Note whose discount has the code that `take_code` took."""
    connection.execute(
        update(pool_codes)
        .where(pool_codes.c.pool == pool, pool_codes.c.code == code)
        .values(discount_id=discount_id)
    )


def left(connection: Connection) -> dict[str, tuple[int, int]]:
    """Of each pool that has had codes: how many are left, and how many there were."""
    query = select(
        pool_codes.c.pool,
        func.count().filter(pool_codes.c.discount_id.is_(None)).label("left"),
        func.count().label("all"),
    ).group_by(pool_codes.c.pool)
    return {row.pool: (row.left, row.all) for row in connection.execute(query)}


def taken_elsewhere(connection: Connection, pool: str, plain: list[str]) -> set[str]:
    """Which of these codes (as they are compared) another pool has, or a lead got without any pool."""
    others = select(pool_codes.c.plain_code).where(
        pool_codes.c.plain_code.in_(plain), pool_codes.c.pool != pool
    )
    issued = select(discounts.c.plain_code).where(
        discounts.c.plain_code.in_(plain), discounts.c.pool.is_distinct_from(pool)
    )
    return {*connection.execute(others).scalars(), *connection.execute(issued).scalars()}
