"""What became of the leads that were lost: how many came back, after how long, and what they bought then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.reports.amounts import choose_currency, major
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import leads, orders, stage_changes

By = Literal["reason", "owner", "journey"]
"""Why a lead was lost, whose it was then, and the journey that said so."""

DAY = 86_400


class RecyclingRow(Line):
    """Leads that were lost, and what became of them."""

    key: str | None = figure("text", "by", "The reason, the owner or the journey.", "price")
    lost: int = figure("count", "lost", "Leads that were lost in the period, each by its last loss.", 120)
    back: int = figure("count", "back", "Those who came back: of another stage since, or bought.", 18)
    share: float | None = figure(
        "share", "back (95%)", "Those who came back of those lost.", 0.15, "low high"
    )
    low: float | None = figure("share", "", "Where the true share begins (95 %).", 0.097)
    high: float | None = figure("share", "", "Where the true share ends.", 0.225)
    days: float | None = figure("days", "days", "From the loss to the return, in the middle.", 41.5)
    bought: int = figure("count", "bought", "Those who have bought since.", 9)
    revenue: int | float | None = figure(
        "money", "revenue", "What they bought since, less what was given back.", 380_000
    )


@dataclass
class _Sum:
    lost: int = 0
    back: int = 0
    bought: int = 0
    revenue: int = 0
    waits: list[float] = field(default_factory=list)


def report_recycling(
    connection: Connection, period: Period, by: By, currency: str | None, usual: str | None
) -> Report[RecyclingRow]:
    """The leads that were lost in the period, and what became of them to this day."""
    chosen, notes = choose_currency(connection, currency, usual)
    sums: dict[str | None, _Sum] = defaultdict(_Sum)
    everything, bought = _Sum(), _orders(connection)
    for lead, group in groupby(_changes(connection), key=lambda row: row.lead_id):
        changes = list(group)
        of_period = [
            place for place, one in enumerate(changes) if one.after == "lost" and _is_of(one, period)
        ]
        if not of_period:
            continue
        loss = changes[of_period[-1]]
        since = [order for order in bought.get(lead, ()) if order.at >= loss.at]
        left = [one for one in changes[of_period[-1] + 1 :] if one.after != "lost"]
        for one in (sums[getattr(loss, by)], everything):
            _add(one, loss, left, since, chosen)
    rows = [_row(key, one, chosen) for key, one in sums.items()]
    return Report[RecyclingRow](
        report="recycling",
        title=f"Lost leads by {by}",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=sorted(rows, key=lambda row: (-row.lost, row.key or "")),
        totals=_row(None, everything, chosen) if rows else None,
        notes=notes,
    )


def _changes(connection: Connection) -> Iterable[Row[Any]]:
    """The changes of stage of those who were ever lost, lead by lead, oldest first."""
    names = ("lead_id", "at", "after", "reason", "owner", "journey")
    ever = select(stage_changes.c.lead_id).where(stage_changes.c.after == "lost")
    query = (
        select(*(stage_changes.c[name] for name in names))
        .join(leads, leads.c.id == stage_changes.c.lead_id)
        .where(stage_changes.c.lead_id.in_(ever), leads.c.merged_into.is_(None))
    )
    return connection.execute(query.order_by(stage_changes.c.lead_id, stage_changes.c.at, stage_changes.c.id))


def _orders(connection: Connection) -> dict[str, list[Row[Any]]]:
    """By lead, the orders of those who were ever lost, oldest first."""
    columns: list[Any] = [orders.c[name] for name in ("lead_id", "at", "total", "refunded", "currency")]
    ever = select(stage_changes.c.lead_id).where(stage_changes.c.after == "lost")
    query = select(*columns).where(orders.c.lead_id.in_(ever)).order_by(orders.c.at, orders.c.id)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.lead_id].append(row)
    return found


def _is_of(change: Row[Any], period: Period) -> bool:
    return bool(change.at < period.end and (period.start is None or change.at >= period.start))


def _add(
    one: _Sum, loss: Row[Any], left: list[Row[Any]], since: list[Row[Any]], currency: str | None
) -> None:
    one.lost += 1
    back = [found[0].at for found in (left, since) if found]
    if back:
        one.back += 1
        one.waits.append((min(back) - loss.at).total_seconds())
    one.bought += bool(since)
    one.revenue += sum(order.total - order.refunded for order in since if order.currency == currency)


def _row(key: str | None, one: _Sum, currency: str | None) -> RecyclingRow:
    counted = Counted(one.back, one.lost)
    sure = share_interval(counted)
    return RecyclingRow(
        key=key,
        lost=one.lost,
        back=one.back,
        share=counted.share,
        low=sure.low,
        high=sure.high,
        days=median(one.waits) / DAY if one.waits else None,
        bought=one.bought,
        revenue=major(one.revenue, currency),
    )
