"""What was earned: by day, week or month, and by what led to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, and_, func, select

from dripline.reports.amounts import choose_currency, major, over
from dripline.reports.attribution import MODELS, Model, Touched, credit, path_to
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import messages, orders, touches

Unit = Literal["day", "week", "month"]
By = Literal["source", "medium", "channel", "campaign", "journey", "template"]
OF_MESSAGES = ("journey", "template")
"""What leads to orders there are our own messages; else, where leads came from."""
Via = Literal["clicked", "sent"]
"""Which messages count: those of which a link was followed, or all that were sent."""

_CHUNK = 2_000


class OrdersRow(Line):
    """What was bought in a time."""

    key: str | None = figure("day", "by", "The first day of it.", "2026-03-02")
    orders: int = figure("count", "orders", "Orders.", 42)
    customers: int = figure("count", "customers", "Leads who bought.", 40)
    new: int = figure("count", "new customers", "Leads who bought for the first time.", 11)
    gross: int | float | None = figure("money", "orders come to", "What they came to.", 1_250_000)
    refunded: int | float | None = figure("money", "given back", "What of it was given back.", 50_000)
    net: int | float | None = figure("money", "revenue", "What was earned.", 1_200_000)
    average: int | float | None = figure("money", "per order", "Revenue of an order.", 28_571)


class RevenueRow(Line):
    """What orders came to, by what led to them."""

    key: str | None = figure("text", "by", "What led to the orders; null: nothing that is known.", "google")
    orders: int = figure("count", "orders", "Orders that it had a part in.", 42)
    first: int | float | None = figure("money", "first", "Revenue of orders to which it led first.", 400_000)
    last: int | float | None = figure("money", "last", "Revenue of orders to which it led last.", 350_000)
    linear: int | float | None = figure(
        "money", "linear", "Revenue, divided evenly among all that led to an order.", 371_250
    )
    share: float | None = figure("share", "share", "Its part of the revenue, divided evenly.", 0.31)


def report_orders(
    connection: Connection, period: Period, unit: Unit, currency: str | None, usual: str | None
) -> Report[OrdersRow]:
    """Orders of the period, by day, week (from Monday) or month; refunds count where their order stands."""
    chosen, notes = choose_currency(connection, currency, usual, period.holds(orders.c.at))
    earliest = (
        select(orders.c.lead_id, func.min(orders.c.at).label("first_at"))
        .group_by(orders.c.lead_id)
        .subquery()
    )
    query = (
        select(orders, earliest.c.first_at)
        .join(earliest, earliest.c.lead_id == orders.c.lead_id)
        .where(period.holds(orders.c.at), orders.c.currency == chosen)
        .order_by(orders.c.at, orders.c.id)
    )
    everything, rows = _Bought(), []
    for day, group in groupby(connection.execute(query), lambda row: _begin(row.at, period, unit)):
        bought = _Bought()
        for row in group:
            bought.add(row)
            everything.add(row)
        rows.append(_orders_row(day.isoformat(), bought, chosen))
    return Report[OrdersRow](
        report="orders",
        title=f"Orders by {unit}",
        by=unit,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=rows,
        totals=_orders_row(None, everything, chosen) if rows else None,
        notes=notes,
    )


def report_revenue(
    connection: Connection,
    period: Period,
    by: By,
    via: Via,
    back: timedelta,
    currency: str | None,
    usual: str | None,
) -> Report[RevenueRow]:
    """Revenue of the period's orders, credited to the first, to the last, or evenly to all that led to each.

    Together the rows are exactly what the orders came to, less what was given back.
    """
    chosen, notes = choose_currency(connection, currency, usual, period.holds(orders.c.at))
    counts: dict[str | None, int] = defaultdict(int)
    sums: dict[Model, dict[str | None, int]] = {model: defaultdict(int) for model in MODELS}
    every, total = 0, 0
    for order, path in _paths(connection, period, by, via, back, chosen):
        net = order.total - order.refunded
        every, total = every + 1, total + net
        for key in {one.key for one in path} or {None}:
            counts[key] += 1
        for model in MODELS:
            for key, part in credit(net, path, model):
                sums[model][key] += part
    rows = [_revenue_row(key, number, sums, total, chosen) for key, number in counts.items()]
    return Report[RevenueRow](
        report="revenue",
        title=f"Revenue by {by}",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=sorted(rows, key=lambda row: (-(row.linear or 0), row.key or "")),
        totals=_revenue_row(None, every, {model: {None: total} for model in MODELS}, total, chosen)
        if every
        else None,
        notes=[_counted(by, via, back), *notes],
    )


def _paths(
    connection: Connection, period: Period, by: By, via: Via, back: timedelta, currency: str | None
) -> Iterator[tuple[Row[Any], Sequence[Touched]]]:
    """Each order of the period with what led to it; some leads at a time, so that memory stays flat."""
    wanted = (period.holds(orders.c.at), orders.c.currency == currency)
    after = ""
    while True:
        buyers = list(
            connection.execute(
                select(orders.c.lead_id)
                .where(*wanted, orders.c.lead_id > after)
                .distinct()
                .order_by(orders.c.lead_id)
                .limit(_CHUNK)
            ).scalars()
        )
        if not buyers:
            return
        among = (orders.c.lead_id > after) & (orders.c.lead_id <= buyers[-1])
        led: dict[str, list[Touched]] = defaultdict(list)
        for row in connection.execute(_touching(by, via, after, buyers[-1])):
            led[row.lead_id].append(Touched(row.at, row.key, row.is_direct))
        query = select(orders).where(*wanted, among).order_by(orders.c.lead_id, orders.c.at, orders.c.id)
        for order in connection.execute(query):
            yield order, path_to(order.at, led.get(order.lead_id, ()), back)
        after = buyers[-1]


def _touching(by: By, via: Via, after: str, until: str) -> Select[Any]:
    """What may have led to orders of the leads of that range of ids, oldest first."""
    if by in OF_MESSAGES:
        at = messages.c.first_clicked_at if via == "clicked" else messages.c.accepted_at
        return (
            select(
                messages.c.lead_id,
                at.label("at"),
                messages.c[by].label("key"),
                (at.is_(None)).label("is_direct"),
            )
            .where(
                messages.c.lead_id > after,
                messages.c.lead_id <= until,
                at.is_not(None),
                messages.c.notice.is_(False),
            )
            .order_by(at, messages.c.id)
        )
    said = (touches.c.source, touches.c.medium, touches.c.campaign, touches.c.referrer)
    quiet = and_(*(column.is_(None) for column in said))
    direct = quiet & (touches.c.channel.is_(None) | (touches.c.channel == "direct"))
    return (
        select(touches.c.lead_id, touches.c.at, touches.c[by].label("key"), direct.label("is_direct"))
        .where(touches.c.lead_id > after, touches.c.lead_id <= until)
        .order_by(touches.c.at, touches.c.id)
    )


def _begin(at: Any, period: Period, unit: Unit) -> date:
    day: date = at.astimezone(period.zone).date()
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


@dataclass
class _Bought:
    """What was bought in a time, in minor units."""

    orders: int = 0
    gross: int = 0
    refunded: int = 0
    customers: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)

    def add(self, row: Row[Any]) -> None:
        """Count an order, with when its lead bought first."""
        self.orders += 1
        self.gross += row.total
        self.refunded += row.refunded
        self.customers.add(row.lead_id)
        if row.at == row.first_at:
            self.new.add(row.lead_id)


def _orders_row(key: str | None, bought: _Bought, currency: str | None) -> OrdersRow:
    net = bought.gross - bought.refunded
    return OrdersRow(
        key=key,
        orders=bought.orders,
        customers=len(bought.customers),
        new=len(bought.new),
        gross=major(bought.gross, currency),
        refunded=major(bought.refunded, currency),
        net=major(net, currency),
        average=over(net, bought.orders, currency),
    )


def _revenue_row(
    key: str | None,
    number: int,
    sums: dict[Model, Any],
    total: int,
    currency: str | None,
) -> RevenueRow:
    part = {model: sums[model].get(key, 0) for model in MODELS}
    return RevenueRow(
        key=key,
        orders=number,
        **{model: major(part[model], currency) for model in MODELS},
        share=part["linear"] / total if total else None,
    )


def _counted(by: By, via: Via, back: timedelta) -> str:
    days = f"{back.days} days before an order"
    if by not in OF_MESSAGES:
        return (
            f"Counted is where leads came from within {days}; direct visits only where there is nothing else."
        )
    what = "of which a link was followed" if via == "clicked" else "that were sent, whether read or not,"
    return f"Counted are messages {what} within {days}."
