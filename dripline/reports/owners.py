"""What became of the leads that each person was given: reactions, customers, revenue, tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, func, select

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.reports.amounts import choose_currency, major
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import assignments, orders, tasks

DAY, HOUR = 86_400, 3_600


class OwnerRow(Line):
    """What became of the leads that somebody was given."""

    key: str | None = figure("text", "person", "Who was given them.", "anna")
    given: int = figure("count", "leads given", "Leads that the person was given in the period.", 120)
    reacted: int = figure("count", "reacted", "Those of them to which the person reacted.", 110)
    hours: float | None = figure("hours", "hours", "Until the reaction, in the middle.", 2.5)
    taken: int = figure("count", "taken away", "Those given to somebody else, as there was no reaction.", 4)
    customers: int = figure("count", "customers", "Those who bought while they were the person's.", 24)
    conversion: float | None = figure(
        "share", "conversion (95%)", "Customers of the leads given.", 0.2, "low high"
    )
    low: float | None = figure("share", "", "Where the true share begins (95 %).", 0.138)
    high: float | None = figure("share", "", "Where the true share ends.", 0.281)
    days: float | None = figure("days", "days", "From being given to the first order, in the middle.", 6.5)
    revenue: int | float | None = figure(
        "money",
        "revenue",
        "What they bought while they were the person's, less what was given back.",
        900_000,
    )
    tasks: int = figure("count", "tasks", "Tasks that the person was given in the period.", 140)
    done: int = figure("count", "done", "Those of them that are done.", 130)
    overdue: int = figure("count", "overdue", "Those of them that were not done in time.", 6)


@dataclass
class _Sum:
    given: int = 0
    reacted: int = 0
    taken: int = 0
    customers: int = 0
    revenue: int = 0
    tasks: int = 0
    done: int = 0
    overdue: int = 0
    reactions: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


_COUNTS = ("given", "reacted", "taken", "customers", "revenue", "tasks", "done", "overdue")


def report_owners(
    connection: Connection, period: Period, currency: str | None, usual: str | None
) -> Report[OwnerRow]:
    """Everybody who was given a lead or a task in the period, and what came of it to this day.

    An order is of whom its lead was given last before it, of those whose lead has not become another's since.
    """
    chosen, notes = choose_currency(connection, currency, usual)
    sums: dict[str, _Sum] = defaultdict(_Sum)
    bought = _orders(connection)
    for lead, group in groupby(_given(connection), key=lambda row: row.lead_id):
        found = list(group)
        whose = _by_owner(found, bought.get(lead, ()))
        for one in found:
            if one.person is not None and _is_of(one.at, period):
                _add(sums[one.person], one, whose[one.id], chosen)
    for row in connection.execute(_tasks(period)):
        one_sum = sums[row.person]
        one_sum.tasks, one_sum.done, one_sum.overdue = row.tasks, row.done, row.overdue
    rows = [_row(person, one, chosen) for person, one in sums.items()]
    return Report[OwnerRow](
        report="owners",
        title="Leads by whom they were given",
        by="person",
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen,
        rows=sorted(rows, key=lambda row: (-row.given, -row.tasks, row.key or "")),
        totals=_row(None, _together(sums), chosen) if sums else None,
        notes=notes,
    )


def _given(connection: Connection) -> Iterator[Row[Any]]:
    """Who was given which lead, lead by lead, oldest first: the next one takes a lead from the one before."""
    names = ("id", "lead_id", "person", "at", "reacted_at", "ended_at", "ended")
    columns = [assignments.c[name] for name in names]
    query = select(*columns).order_by(assignments.c.lead_id, assignments.c.at, assignments.c.id)
    yield from connection.execute(query)


def _orders(connection: Connection) -> dict[str, list[Row[Any]]]:
    """By lead, the orders of those who were ever given to somebody, oldest first."""
    columns: list[Any] = [orders.c[name] for name in ("lead_id", "at", "total", "refunded", "currency")]
    query = (
        select(*columns)
        .where(orders.c.lead_id.in_(select(assignments.c.lead_id)))
        .order_by(orders.c.at, orders.c.id)
    )
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.lead_id].append(row)
    return found


def _tasks(period: Period) -> Any:
    return (
        select(
            tasks.c.person,
            func.count().label("tasks"),
            func.count(tasks.c.done_at).label("done"),
            func.count(tasks.c.overdue_at).label("overdue"),
        )
        .where(period.holds(tasks.c.created_at), tasks.c.person.is_not(None), tasks.c.cancelled_at.is_(None))
        .group_by(tasks.c.person)
    )


def _is_of(at: datetime, period: Period) -> bool:
    return at < period.end and (period.start is None or at >= period.start)


def _by_owner(given: Sequence[Row[Any]], bought: Sequence[Row[Any]]) -> dict[int, list[Row[Any]]]:
    """By assignment, oldest first, the lead's orders that came while it held."""
    whose: dict[int, list[Row[Any]]] = {one.id: [] for one in given}
    for order in bought:
        had = [one.id for one in given if one.at <= order.at and not _merged_by(one, order.at)]
        if had:
            whose[had[-1]].append(order)
    return whose


def _merged_by(given: Row[Any], at: datetime) -> bool:
    return bool(given.ended == "merged" and given.ended_at <= at)


def _add(one: _Sum, given: Row[Any], bought: list[Row[Any]], currency: str | None) -> None:
    one.given += 1
    if given.reacted_at is not None:
        one.reacted += 1
        one.reactions.append(max(0.0, (given.reacted_at - given.at).total_seconds()))
    one.taken += given.ended == "no-reaction"
    if bought:
        one.customers += 1
        one.waits.append((bought[0].at - given.at).total_seconds())
    one.revenue += sum(order.total - order.refunded for order in bought if order.currency == currency)


def _together(sums: dict[str, _Sum]) -> _Sum:
    everything = _Sum()
    for one in sums.values():
        for name in _COUNTS:
            setattr(everything, name, getattr(everything, name) + getattr(one, name))
        everything.reactions += one.reactions
        everything.waits += one.waits
    return everything


def _row(person: str | None, one: _Sum, currency: str | None) -> OwnerRow:
    counted = Counted(one.customers, one.given)
    sure = share_interval(counted) if one.given else None
    counts = {name: getattr(one, name) for name in _COUNTS if name != "revenue"}
    return OwnerRow(
        key=person,
        **counts,
        hours=median(one.reactions) / HOUR if one.reactions else None,
        conversion=counted.share if one.given else None,
        low=sure.low if sure else None,
        high=sure.high if sure else None,
        days=median(one.waits) / DAY if one.waits else None,
        revenue=major(one.revenue, currency),
    )
