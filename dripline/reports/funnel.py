"""How far leads come: through a journey, step by step; or from their coming to their second order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from sqlalchemy import Connection, String, column, func, select, true

from dripline.language.labels import say_step
from dripline.language.plan import Plan
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import leads, messages, orders, runs, step_log

DAY = 86_400


class FunnelRow(Line):
    """A step, and how many came so far."""

    key: str | None = figure("text", "step", "The step, or how far it is.", "email:welcome/hello")
    title: str = figure("text", "what", "The same in words.", "the e-mail welcome/hello")
    reached: int = figure("count", "reached", "Leads (of a journey: runs) who came so far.", 640)
    share: float | None = figure("share", "of all", "Of those who entered.", 0.8)
    days: float | None = figure("days", "days", "From entering to there, in the middle.", 2.0)
    here: int | None = figure("count", "there now", "Runs that stand there now.", 12)
    ended: int | None = figure("count", "ended there", "Runs that ended there.", 30)


STAGES: Mapping[str, str] = {
    "came": "leads who came",
    "reachable": "complete and reachable",
    "written": "were written to",
    "opened": "opened a message",
    "clicked": "followed a link",
    "goal": "reached the goal of a journey",
    "bought": "bought",
    "again": "bought again",
}
"""How far a lead can come."""


def report_leads(connection: Connection, period: Period) -> Report[FunnelRow]:
    """The leads who came in the period, and how far each has come to this day."""
    reached: dict[str, int] = dict.fromkeys(STAGES, 0)
    seconds: dict[str, list[float]] = defaultdict(list)
    for row in connection.execute(_far(period)):
        for stage in STAGES:
            at = row.came if stage == "reachable" and not row.lacks else getattr(row, stage, None)
            if at is not None:
                reached[stage] += 1
                seconds[stage].append(max(0.0, (at - row.came).total_seconds()))
    everybody = reached["came"]
    rows = [
        _row(stage, said, reached[stage], everybody, None if stage == "reachable" else seconds[stage])
        for stage, said in STAGES.items()
    ]
    return _told("Leads, and how far they came", period, rows if everybody else [], [])


def report_journey(connection: Connection, period: Period, plan: Plan) -> Report[FunnelRow]:
    """The runs of a journey that began in the period, and how far each has come to this day."""
    began = (
        runs.c.journey == plan.journey,
        runs.c.holdout.is_(False),
        period.holds(runs.c.started_at),
    )
    entered = connection.execute(select(func.count()).where(*began)).scalar_one()
    keys = func.json_each if connection.dialect.name == "sqlite" else func.jsonb_each
    been = keys(runs.c.visits).table_valued(column("key", String))
    visited = select(been.c.key, func.count().label("number")).select_from(runs).join(been, true())
    reached = {row.key: row.number for row in connection.execute(visited.where(*began).group_by(been.c.key))}
    standing = _by_step(connection, began, is_open=True)
    ended = _by_step(connection, began, is_open=False)
    seconds = _times(connection, began)
    known = [(step.id, say_step(step)) for step in plan.steps]
    gone = [(id_, "no step of it any more") for id_ in sorted(reached.keys() - dict(known).keys())]
    rows = [_row(None, "entered the journey", entered, entered, [0.0] * entered, standing.get(None))]
    rows += [
        _row(id_, said, reached.get(id_, 0), entered, seconds.get(id_), standing.get(id_), ended.get(id_))
        for id_, said in [*known, *gone]
    ]
    if plan.goal is not None:
        rows.append(_goal(connection, began, entered))
    notes = ["Runs of the control group are not counted."] if plan.holdout else []
    return _told(f"{plan.title}, step by step", period, rows if entered else [], notes)


def _far(period: Period) -> Any:
    """One row a lead, with the times at which it first came so far."""
    written = (
        select(
            messages.c.lead_id,
            func.min(messages.c.accepted_at).label("written"),
            func.min(messages.c.first_opened_at).label("opened"),
            func.min(messages.c.first_clicked_at).label("clicked"),
        )
        .where(messages.c.notice.is_(False))
        .group_by(messages.c.lead_id)
        .subquery()
    )
    goal = (
        select(runs.c.lead_id, func.min(runs.c.converted_at).label("goal"))
        .group_by(runs.c.lead_id)
        .subquery()
    )
    number = func.row_number().over(partition_by=orders.c.lead_id, order_by=(orders.c.at, orders.c.id))
    ranked = select(orders.c.lead_id, orders.c.at, number.label("number")).subquery()
    bought = (
        select(
            ranked.c.lead_id,
            func.min(ranked.c.at).label("bought"),
            func.min(ranked.c.at).filter(ranked.c.number == 2).label("again"),
        )
        .group_by(ranked.c.lead_id)
        .subquery()
    )
    joined: Any = leads
    for part in (written, goal, bought):
        joined = joined.outerjoin(part, part.c.lead_id == leads.c.id)
    return (
        select(
            leads.c.created_at.label("came"),
            leads.c.lacks,
            *(written.c[name] for name in ("written", "opened", "clicked")),
            goal.c.goal,
            bought.c.bought,
            bought.c.again,
        )
        .select_from(joined)
        .where(leads.c.merged_into.is_(None), period.holds(leads.c.created_at))
    )


def _by_step(connection: Connection, began: Sequence[Any], *, is_open: bool) -> dict[str | None, int]:
    over = runs.c.ended_at.is_(None) if is_open else runs.c.ended_at.is_not(None)
    query = select(runs.c.step, func.count().label("number")).where(*began, over).group_by(runs.c.step)
    return {row.step: row.number for row in connection.execute(query)}


def _times(connection: Connection, began: Sequence[Any]) -> dict[str, list[float]]:
    """By step, how many seconds after it entered each run first came there."""
    query = (
        select(step_log.c.step, runs.c.started_at, func.min(step_log.c.at).label("at"))
        .join(runs, runs.c.id == step_log.c.run_id)
        .where(*began, step_log.c.step.is_not(None))
        .group_by(step_log.c.run_id, step_log.c.step, runs.c.started_at)
    )
    found: dict[str, list[float]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.step].append(max(0.0, (row.at - row.started_at).total_seconds()))
    return found


def _goal(connection: Connection, began: Sequence[Any], entered: int) -> FunnelRow:
    query = select(runs.c.started_at, runs.c.converted_at).where(*began, runs.c.converted_at.is_not(None))
    seconds = [
        max(0.0, (row.converted_at - row.started_at).total_seconds()) for row in connection.execute(query)
    ]
    return _row("goal", "reached the goal", len(seconds), entered, seconds)


def _row(
    key: str | None,
    said: str,
    reached: int,
    of: int,
    seconds: Sequence[float] | None,
    here: int | None = None,
    ended: int | None = None,
) -> FunnelRow:
    return FunnelRow(
        key=key,
        title=said,
        reached=reached,
        share=reached / of if of else None,
        days=median(seconds) / DAY if seconds else None,
        here=here,
        ended=ended,
    )


def _told(title: str, period: Period, rows: list[FunnelRow], notes: list[str]) -> Report[FunnelRow]:
    return Report[FunnelRow](
        report="funnel",
        title=title,
        by=None,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=None,
        rows=rows,
        totals=None,
        notes=notes,
    )
