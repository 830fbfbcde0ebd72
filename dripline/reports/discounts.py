"""What discounts gave and brought in: issued, redeemed and after how long, what came off, and of how much."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.language.money import to_major
from dripline.reports.amounts import choose_of, major
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import discounts

By = Literal["journey", "discount", "budget", "pool"]
"""Who issued it, what it gives, what pays for it, and where its code is from."""

DAY = 86_400


class DiscountsRow(Line):
    """Discounts that were issued, and what became of them."""

    key: str | None = figure(
        "text", "by", "The journey, the discount, the budget or the pool.", "reactivation"
    )
    issued: int = figure("count", "issued", "Discounts that were issued in the period.", 400)
    redeemed: int = figure("count", "redeemed", "Those of them that an order was paid with.", 62)
    share: float | None = figure("share", "share (95%)", "Those redeemed of those issued.", 0.155, "low high")
    low: float | None = figure("share", "", "Where the true share begins (95 %).", 0.123)
    high: float | None = figure("share", "", "Where the true share ends.", 0.194)
    days: float | None = figure("days", "days", "From the issue to the order, in the middle.", 3.5)
    open: int = figure("count", "open", "Those that can still be redeemed.", 120)
    expired: int = figure("count", "expired", "Those whose time went by.", 215)
    revoked: int = figure("count", "taken back", "Those that were taken back.", 3)
    given: int | float | None = figure("money", "came off", "What came off the orders.", 93_000)
    total: int | float | None = figure(
        "money", "orders", "What those orders came to before, as far as the shop said it.", 620_000
    )
    off: float | None = figure("share", "off an order", "What came off, of what the orders came to.", 0.15)


@dataclass
class _Sum:
    issued: int = 0
    redeemed: int = 0
    open: int = 0
    expired: int = 0
    revoked: int = 0
    given: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    """What each order came to, by its reference: several discounts may be of one."""
    waits: list[float] = field(default_factory=list)


def report_discounts(
    connection: Connection,
    period: Period,
    now: datetime,
    by: By,
    currency: str | None,
    usual: str | None,
    journey: str | None = None,
) -> Report[DiscountsRow]:
    """The discounts that were issued in the period, and what has become of them until `now` (house time)."""
    rows = list(_issued(connection, period, journey))
    used = Counter(row.currency for row in rows if row.given is not None and row.currency is not None)
    chosen, notes = choose_of(used, currency, usual, "redeemed discount")
    sums: dict[str | None, _Sum] = defaultdict(_Sum)
    everything = _Sum()
    for row in rows:
        for one in (sums[_key(row, by)], everything):
            _add(one, row, now, chosen)
    lines = [_row(key, one, chosen) for key, one in sums.items()]
    return Report[DiscountsRow](
        report="discounts",
        title=f"Discounts by {by}" if by != "discount" else "Discounts by what they give",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=sorted(lines, key=lambda line: (-line.issued, line.key or "")),
        totals=_row(None, everything, chosen) if lines else None,
        notes=notes,
    )


def currencies_of(connection: Connection) -> list[str]:
    """Those in which discounts came off orders."""
    query = select(discounts.c.currency).where(discounts.c.given.is_not(None)).distinct()
    return [found for found in connection.execute(query).scalars() if found is not None]


def _issued(connection: Connection, period: Period, journey: str | None) -> Iterable[Row[Any]]:
    names = (
        "journey",
        "budget",
        "pool",
        "percent",
        "amount",
        "gift",
        "currency",
        "given",
        "total",
        "redeemed_for",
    )
    moments = ("issued_at", "expires_at", "redeemed_at", "revoked_at")
    query = select(*(discounts.c[name] for name in (*names, *moments))).where(
        period.holds(discounts.c.issued_at)
    )
    return connection.execute(query if journey is None else query.where(discounts.c.journey == journey))


def _key(row: Row[Any], by: By) -> str | None:
    return what_it_gives(row) if by == "discount" else getattr(row, by)


def what_it_gives(row: Row[Any]) -> str:
    """A discount in few words: `15%`, `5000 AMD`, or what is given along."""
    if row.percent is not None:
        return f"{row.percent:g}%"
    if row.amount is not None and row.currency is not None:
        return f"{to_major(row.amount, row.currency):,} {row.currency}"
    return row.gift or ""


def _add(one: _Sum, row: Row[Any], now: datetime, currency: str | None) -> None:
    one.issued += 1
    if row.redeemed_at is not None:
        one.redeemed += 1
        one.waits.append(max(0.0, (row.redeemed_at - row.issued_at).total_seconds()))
        if row.currency == currency:
            one.given += row.given or 0
            if row.total is not None:
                one.totals[row.redeemed_for] = max(row.total, one.totals.get(row.redeemed_for, 0))
    elif row.revoked_at is not None:
        one.revoked += 1
    elif row.expires_at is not None and row.expires_at <= now:
        one.expired += 1
    else:
        one.open += 1


def _row(key: str | None, one: _Sum, currency: str | None) -> DiscountsRow:
    counted = Counted(one.redeemed, one.issued)
    sure = share_interval(counted)
    total = sum(one.totals.values())
    counts = {name: getattr(one, name) for name in ("issued", "redeemed", "open", "expired", "revoked")}
    return DiscountsRow(
        key=key,
        **counts,
        share=counted.share,
        low=sure.low,
        high=sure.high,
        days=median(one.waits) / DAY if one.waits else None,
        given=major(one.given, currency),
        total=major(total, currency),
        off=one.given / total if total else None,
    )
