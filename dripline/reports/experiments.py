"""Arms of splits and control groups beside one another: who did better, how sure that is, and when it will be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from babel.numbers import get_currency_precision
from sqlalchemy import Connection, Float, Select, Subquery, and_, case, cast, func, literal, select

from dripline.engine.statistics.means import Summed, mean_difference
from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.engine.statistics.verdicts import Judged, is_uneven, judge
from dripline.language.plan import Plan, SplitStep
from dripline.reports.amounts import choose_currency
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.reports.verdict_words import UNEVEN, say_verdict
from dripline.store.figures import read_listings
from dripline.store.plans import load_plan
from dripline.store.schema import orders, runs, step_log

Measure = Literal["goal", "order"]
RECENT = timedelta(days=28)
"""Over how long it is counted how many leads come a day."""
CONTROL, TREATED = "control group", "messages"


class ArmRow(Line):
    """An arm of an experiment, and how it did beside the first one."""

    key: str = figure("text", "journey", "The journey.", "welcome")
    step: str | None = figure("text", "split", "The split; null: the journey's control group.", "split")
    arm: str = figure("text", "arm", "The arm; the first of each is what the others are held against.", "b")
    leads: int = figure("count", "leads", "Leads who came into it.", 1_000)
    converted: int = figure("count", "converted", "Those who reached the goal, or bought, since.", 120)
    rate: float | None = figure("share", "rate (95%)", "Converted of the leads.", 0.12, "low high")
    low: float | None = figure("share", "", "Where the true rate begins (95 %).", 0.101)
    high: float | None = figure("share", "", "Where the true rate ends.", 0.142)
    difference: float | None = figure(
        "points", "points more", "The rate less that of the first.", 0.02, "difference_low difference_high"
    )
    difference_low: float | None = figure("points", "", "Where the true difference begins.", -0.007)
    difference_high: float | None = figure("points", "", "Where the true difference ends.", 0.047)
    lift: float | None = figure(
        "lift", "lift", "The difference as a part of the first one's rate.", 0.2, "lift_low lift_high"
    )
    lift_low: float | None = figure("lift", "", "Where the true lift begins.", -0.06)
    lift_high: float | None = figure("lift", "", "Where the true lift ends.", 0.53)
    chance: float | None = figure("chance", "", "How often chance alone makes so great a difference.", 0.15)
    value: float | None = figure("number", "per lead", "What a lead was worth.", 31.5)
    value_low: float | None = figure(
        "number", "", "Where what a lead is worth more than of the first begins (95 %).", -2.0
    )
    value_high: float | None = figure("number", "", "Where that ends.", 9.0)
    kind: Literal["first", "better", "worse", "no-difference", "not-enough"] = figure(
        "text", "", "The verdict for programs.", "not-enough"
    )
    days: int | None = figure("count", "", "About how many more days it takes; null: nobody knows.", 12)
    verdict: str = figure(
        "text", "verdict", "The verdict in words.", "not enough data yet, about 12 more days"
    )


@dataclass(frozen=True)
class _Arm:
    name: str
    share: float | None
    counted: Counted
    summed: Summed
    a_day: float


def report_experiments(
    connection: Connection,
    period: Period,
    now: datetime,
    journey: str | None,
    measure: Measure | None,
    worth: float,
    currency: str | None,
    usual: str | None,
) -> Report[ArmRow]:
    """Every split and control group of the published journeys, or of one.

    What counts is the goal, where the journey has one, and else an order; or what `measure` says.
    """
    chosen, _ = choose_currency(connection, currency, usual)
    rows: list[ArmRow] = []
    notes: list[str] = []
    for name, listing in read_listings(connection).items():
        if journey is not None and name != journey:
            continue
        plan = load_plan(connection, listing.plan_hash)
        by: Measure = measure or ("goal" if plan.goal is not None else "order")
        for step, arms in _experiments(connection, plan, period, now, by, chosen):
            told = _judge_all(name, step, arms, worth)
            rows += told
            if _is_uneven(arms):
                notes.append(f"{name}, {step or CONTROL}: {UNEVEN}")
    worth_knowing = (
        f"Worth knowing is a lift of {100 * worth:g}%: that much is to be seen four times of five."
    )
    return Report[ArmRow](
        report="experiments",
        title="Experiments" if journey is None else f"Experiments of {journey}",
        by=None,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=chosen if any(row.value for row in rows) else None,
        rows=rows,
        totals=None,
        notes=[*notes, worth_knowing] if rows else [],
    )


def _experiments(
    connection: Connection, plan: Plan, period: Period, now: datetime, by: Measure, currency: str | None
) -> Iterator[tuple[str | None, list[_Arm]]]:
    shares: dict[str, float | None] = {CONTROL: None, TREATED: None}
    if plan.holdout:
        shares = {CONTROL: plan.holdout / 100, TREATED: 1 - plan.holdout / 100}
    arms = _arms(connection, _held_out(plan.journey, period), shares, plan, now, by, currency)
    if plan.holdout or arms[0].counted.leads:
        yield None, arms
    for step in plan.steps:
        if isinstance(step, SplitStep):
            lots: dict[str, float | None] = {arm.name: arm.percent / 100 for arm in step.arms}
            entries = _split(plan.journey, step.id, period)
            yield step.id, _arms(connection, entries, lots, plan, now, by, currency)


def _held_out(journey: str, period: Period) -> Subquery:
    """Who came into the journey, each once: when at first, and on which side.

    Who was ever held out is of the control group.
    """
    side = case((func.max(case((runs.c.holdout, 1), else_=0)) == 1, CONTROL), else_=TREATED)
    entered = func.min(runs.c.started_at)
    return (
        select(runs.c.lead_id, side.label("arm"), entered.label("entered"))
        .where(runs.c.journey == journey)
        .group_by(runs.c.lead_id)
        .having(period.holds(entered))
        .subquery()
    )


def _split(journey: str, step: str, period: Period) -> Subquery:
    """Who came to the split, each once: when at first, and into which arm. Held-out leads are not of it."""
    number = func.row_number().over(partition_by=runs.c.lead_id, order_by=(step_log.c.at, step_log.c.id))
    drawn = (
        select(
            runs.c.lead_id,
            step_log.c.detail["arm"].as_string().label("arm"),
            step_log.c.at.label("entered"),
            number.label("number"),
        )
        .join(step_log, step_log.c.run_id == runs.c.id)
        .where(
            runs.c.journey == journey,
            runs.c.holdout.is_(False),
            step_log.c.what == "split",
            step_log.c.step == step,
        )
        .subquery()
    )
    return (
        select(drawn.c.lead_id, drawn.c.arm, drawn.c.entered)
        .where(drawn.c.number == 1, drawn.c.arm.is_not(None), period.holds(drawn.c.entered))
        .subquery()
    )


def _arms(
    connection: Connection,
    entries: Subquery,
    shares: Mapping[str, float | None],
    plan: Plan,
    now: datetime,
    by: Measure,
    currency: str | None,
) -> list[_Arm]:
    outcomes = _outcomes(entries, plan, by, currency).subquery()
    value = cast(outcomes.c.value, Float)
    query = select(
        outcomes.c.arm,
        func.count().label("leads"),
        func.count().filter(outcomes.c.hits > 0).label("converted"),
        func.sum(value).label("total"),
        func.sum(value * value).label("squares"),
        func.count().filter(outcomes.c.entered >= now - RECENT).label("recent"),
        func.min(outcomes.c.entered).label("began"),
    ).group_by(outcomes.c.arm)
    found = {row.arm: row for row in connection.execute(query)}
    began = min((row.began for row in found.values()), default=now)
    # A day's worth at least: an experiment of an hour tells little of how many will come.
    days = max(1.0, min(RECENT, now - began) / timedelta(days=1))
    scale = 1 if by == "goal" else _minor_units(currency)
    arms = []
    for name in [*shares, *sorted(found.keys() - shares.keys())]:
        row = found.get(name)
        total, squares = ((row.total or 0.0) / scale, (row.squares or 0.0) / scale**2) if row else (0.0, 0.0)
        leads = row.leads if row else 0
        counted, summed = Counted(row.converted if row else 0, leads), Summed(leads, total, squares)
        arms.append(_Arm(name, shares.get(name), counted, summed, (row.recent if row else 0) / days))
    return arms


def _outcomes(entries: Subquery, plan: Plan, by: Measure, currency: str | None) -> Select[Any]:
    """Of each lead, how often it converted since it entered, and what that was worth."""
    if by == "goal":
        since = and_(
            runs.c.lead_id == entries.c.lead_id,
            runs.c.journey == plan.journey,
            runs.c.converted_at >= entries.c.entered,
        )
        hits, value = func.count(runs.c.id), func.sum(func.coalesce(runs.c.goal_value, 0.0))
        joined = entries.outerjoin(runs, since)
    else:
        since = and_(orders.c.lead_id == entries.c.lead_id, orders.c.at >= entries.c.entered)
        net = case((orders.c.currency == currency, orders.c.total - orders.c.refunded), else_=0)
        hits, value = func.count(orders.c.id), func.sum(net)
        joined = entries.outerjoin(orders, since)
    return (
        select(
            entries.c.lead_id,
            entries.c.arm,
            entries.c.entered,
            hits.label("hits"),
            func.coalesce(value, literal(0)).label("value"),
        )
        .select_from(joined)
        .group_by(entries.c.lead_id, entries.c.arm, entries.c.entered)
    )


def _judge_all(journey: str, step: str | None, arms: Sequence[_Arm], worth: float) -> list[ArmRow]:
    first, *others = arms
    rows = [_row(journey, step, first, first, None)]
    for arm in others:
        judged = judge(arm.counted, first.counted, worth, (arm.a_day, first.a_day), len(others))
        rows.append(_row(journey, step, arm, first, judged))
    return rows


def _row(journey: str, step: str | None, arm: _Arm, first: _Arm, judged: Judged | None) -> ArmRow:
    sure = share_interval(arm.counted) if arm.counted.leads else None
    has_value = arm.summed.total != 0 or first.summed.total != 0
    value = mean_difference(arm.summed, first.summed) if judged and has_value else None
    beside = {}
    both = judged is not None and arm.counted.leads and first.counted.leads
    if judged is not None and both:
        beside = {
            "difference": judged.difference,
            "difference_low": judged.between.low,
            "difference_high": judged.between.high,
            "lift": judged.lift,
            "lift_low": judged.lift_between.low if judged.lift_between else None,
            "lift_high": judged.lift_between.high if judged.lift_between else None,
            "chance": judged.chance,
        }
    names = ("difference", "difference_low", "difference_high", "lift", "lift_low", "lift_high", "chance")
    return ArmRow(
        key=journey,
        step=step,
        arm=arm.name,
        leads=arm.counted.leads,
        converted=arm.counted.hits,
        rate=arm.counted.share if arm.counted.leads else None,
        low=sure.low if sure else None,
        high=sure.high if sure else None,
        **{name: beside.get(name) for name in names},
        value=arm.summed.mean if has_value and arm.counted.leads else None,
        value_low=value.low if value else None,
        value_high=value.high if value else None,
        kind=judged.kind if judged else "first",
        days=judged.days if judged and judged.kind == "not-enough" else None,
        verdict=say_verdict(judged, first.name) if judged else "what the others are held against",
    )


def _is_uneven(arms: Sequence[_Arm]) -> bool:
    shares = [arm.share for arm in arms]
    if any(share is None for share in shares):
        return False
    return is_uneven([arm.counted.leads for arm in arms], [share for share in shares if share is not None])


def _minor_units(currency: str | None) -> int:
    return int(10 ** get_currency_precision(currency)) if currency else 1
