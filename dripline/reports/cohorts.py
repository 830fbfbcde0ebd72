"""Leads of a period, by where they came from or who looks after them: what became of them, at what cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.reports.amounts import choose_currency, major, over
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.reports.spending import spent_by, spent_elsewhere
from dripline.store.schema import leads, orders, runs, touches

By = Literal[
    "source", "medium", "channel", "campaign", "country", "locale", "stage", "warmth", "grade", "owner"
]
_OF_TOUCHES = ("source", "medium", "channel", "campaign")
_PAID_BY = ("source", "channel", "campaign")
DAY = 86_400


class CohortRow(Line):
    """What became of the leads of one kind."""

    key: str | None = figure("text", "by", "What the leads have in common; null: not known.", "google")
    leads: int = figure("count", "leads", "Leads who came in the period.", 640)
    goals: int = figure("count", "reached a goal", "Those of them who reached the goal of a journey.", 120)
    customers: int = figure("count", "customers", "Those of them who have bought since.", 64)
    conversion: float | None = figure("share", "conversion (95%)", "Customers of the leads.", 0.1, "low high")
    low: float | None = figure("share", "", "Where the true share begins (95 %).", 0.079)
    high: float | None = figure("share", "", "Where the true share ends.", 0.126)
    days: float | None = figure(
        "days", "days", "From the lead's coming to its first order, in the middle.", 6.5
    )
    revenue: int | float | None = figure(
        "money", "revenue", "What they have bought to this day, less what was given back.", 1_200_000
    )
    spent: int | float | None = figure("money", "spent", "What was paid for the period.", 300_000)
    per_lead: int | float | None = figure("money", "per lead", "What a lead cost.", 469)
    per_customer: int | float | None = figure("money", "per customer", "What a customer cost.", 4_688)
    returned: float | None = figure("number", "return", "Revenue for each one that was spent.", 4.0)


@dataclass
class _Sum:
    leads: int = 0
    goals: int = 0
    customers: int = 0
    revenue: int = 0
    spent: int = 0
    seconds: list[float] = field(default_factory=list)


def report_cohorts(
    connection: Connection, period: Period, by: By, currency: str | None, usual: str | None
) -> Report[CohortRow]:
    """The leads who came in the period, and what became of them to this day."""
    chosen, notes = choose_currency(connection, currency, usual)
    sums: dict[str | None, _Sum] = defaultdict(_Sum)
    for row in connection.execute(_leads(period, by, chosen)):
        _add(sums[row.key], row)
    is_paid = by in _PAID_BY
    if by == "source" or by == "channel" or by == "campaign":
        for key, amount in spent_by(connection, period, by, chosen).items():
            sums[key].spent += amount
        notes += spent_elsewhere(connection, period, chosen)
    if by in _OF_TOUCHES:
        for row in connection.execute(_clicks(period, by, chosen)):
            sums[row.key].spent += int(row.cost)  # PostgreSQL sums to a Decimal
            is_paid = True
    everything = _together(sums.values())
    told = is_paid and everything.spent > 0
    rows = [_row(key, one, chosen, told) for key, one in sums.items()]
    return Report[CohortRow](
        report="sources",
        title=f"Leads by {by}",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=sorted(rows, key=lambda row: (-row.leads, -(row.spent or 0), row.key or "")),
        totals=_row(None, everything, chosen, told) if sums else None,
        notes=notes,
    )


def _leads(period: Period, by: By, currency: str | None) -> Select[Any]:
    bought = (
        select(
            orders.c.lead_id,
            func.min(orders.c.at).label("first_at"),
            func.sum(orders.c.total - orders.c.refunded)
            .filter(orders.c.currency == currency)
            .label("revenue"),
        )
        .group_by(orders.c.lead_id)
        .subquery()
    )
    reached = select(runs.c.lead_id).where(runs.c.converted_at.is_not(None)).distinct().subquery()
    here = and_(leads.c.merged_into.is_(None), period.holds(leads.c.created_at))
    came = leads.outerjoin(bought, bought.c.lead_id == leads.c.id)
    came = came.outerjoin(reached, reached.c.lead_id == leads.c.id)
    key: ColumnElement[Any] = leads.c[by] if by not in _OF_TOUCHES else touches.c[by]
    if by in _OF_TOUCHES:
        # The lead's row shows the first touch as well, but an erased lead's keeps its channel in `touches` alone.
        number = func.row_number().over(partition_by=touches.c.lead_id, order_by=(touches.c.at, touches.c.id))
        ranked = select(touches.c.lead_id, touches.c[by].label("key"), number.label("number")).subquery()
        first = select(ranked.c.lead_id, ranked.c.key).where(ranked.c.number == 1).subquery()
        came, key = came.outerjoin(first, first.c.lead_id == leads.c.id), first.c.key
    return (
        select(
            key.label("key"),
            leads.c.created_at,
            bought.c.first_at,
            func.coalesce(bought.c.revenue, 0).label("revenue"),
            reached.c.lead_id.is_not(None).label("goal"),
        )
        .select_from(came)
        .where(here)
    )


def _clicks(period: Period, by: By, currency: str | None) -> Select[Any]:
    """What single clicks cost, as touches say it."""
    return (
        select(touches.c[by].label("key"), func.sum(touches.c.cost).label("cost"))
        .where(period.holds(touches.c.at), touches.c.cost.is_not(None), touches.c.currency == currency)
        .group_by(touches.c[by])
    )


def _add(one: _Sum, row: Row[Any]) -> None:
    one.leads += 1
    one.goals += bool(row.goal)
    one.revenue += int(row.revenue)
    if row.first_at is not None:
        one.customers += 1
        # Imported history may know an order from before the lead.
        one.seconds.append(max(0.0, (row.first_at - row.created_at).total_seconds()))


def _together(sums: Iterable[_Sum]) -> _Sum:
    everything = _Sum()
    for one in sums:
        for name in ("leads", "goals", "customers", "revenue", "spent"):
            setattr(everything, name, getattr(everything, name) + getattr(one, name))
        everything.seconds += one.seconds
    return everything


def _row(key: str | None, one: _Sum, currency: str | None, is_paid: bool) -> CohortRow:
    counted = Counted(one.customers, one.leads)
    sure = share_interval(counted) if one.leads else None
    spent = one.spent if is_paid else None
    return CohortRow(
        key=key,
        leads=one.leads,
        goals=one.goals,
        customers=one.customers,
        conversion=counted.share if one.leads else None,
        low=sure.low if sure else None,
        high=sure.high if sure else None,
        days=median(one.seconds) / DAY if one.seconds else None,
        revenue=major(one.revenue, currency),
        spent=major(spent, currency),
        per_lead=over(spent, one.leads, currency) if spent else None,
        per_customer=over(spent, one.customers, currency) if spent else None,
        returned=one.revenue / spent if spent else None,
    )
