"""What discounts gave and brought in, by journey and what they give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from dripline.language.money import to_major
from dripline.store.schema import discounts


@dataclass(frozen=True)
class Redemptions:
    """The discounts of one kind that a journey issued. Amounts are in major units of `currency` (ISO 4217)."""

    journey: str
    what: str
    """`15%`, `5000 AMD`, or what is given along."""
    currency: str | None
    issued: int
    redeemed: int
    open: int
    expired: int
    revoked: int
    given: int | float
    """What came off."""
    total: int | float
    """What the orders came to without it, as far as the shop has told."""


@dataclass
class _Sum:
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    given: int = 0
    total: int = 0


def redemptions(connection: Connection, now: datetime, journey: str | None = None) -> list[Redemptions]:
    """What became of all discounts until `now` (house time); those of several currencies stand apart."""
    table = discounts.c
    over = (table.expires_at <= now) & table.redeemed_at.is_(None) & table.revoked_at.is_(None)
    query = select(
        table.journey,
        table.percent,
        table.amount,
        table.gift,
        table.currency,
        func.count().label("issued"),
        func.count(table.redeemed_at).label("redeemed"),
        func.count(table.revoked_at).label("revoked"),
        func.count().filter(over).label("expired"),
        func.count()
        .filter(
            table.redeemed_at.is_(None),
            table.revoked_at.is_(None),
            or_(table.expires_at.is_(None), table.expires_at > now),
        )
        .label("open"),
        func.coalesce(func.sum(table.given), 0).label("given"),
        func.coalesce(func.sum(table.total), 0).label("total"),
    ).group_by(table.journey, table.percent, table.amount, table.gift, table.currency)
    if journey is not None:
        query = query.where(table.journey == journey)
    rows = [(_what(row), row) for row in connection.execute(query)]
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for what, row in rows:
        said[row.journey, what].update({row.currency} - {None})
    found: dict[tuple[str, str, str | None], _Sum] = defaultdict(_Sum)
    for what, row in rows:
        known = said[row.journey, what]
        alone = next(iter(known)) if len(known) == 1 else None  # a percentage learns it from its order
        one = found[row.journey, what, row.currency or alone]
        for name in ("issued", "redeemed", "revoked", "expired", "open"):
            one.counts[name] += getattr(row, name)
        one.given, one.total = one.given + int(row.given), one.total + int(row.total)
    return [
        Redemptions(
            journey=key[0],
            what=key[1],
            currency=key[2],
            given=to_major(one.given, key[2]) if key[2] else 0,
            total=to_major(one.total, key[2]) if key[2] else 0,
            **one.counts,
        )
        for key, one in sorted(found.items(), key=lambda pair: tuple(part or "" for part in pair[0]))
    ]


def _what(row: Row[Any]) -> str:
    if row.percent is not None:
        return f"{row.percent:g}%"
    if row.amount is not None and row.currency is not None:
        return f"{to_major(row.amount, row.currency)} {row.currency}"
    return row.gift or ""
