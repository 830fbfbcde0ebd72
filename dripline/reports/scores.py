"""Scores at the time beside what leads then did: which rules foretell, which say nothing, which the contrary."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from dripline.engine.scoring import standing
from dripline.engine.statistics.scoring import RuleJudged, ScoresJudged, Watched, judge_scores
from dripline.language.scoring import Scoring
from dripline.store.leads import facts
from dripline.store.schema import events, leads, score_changes, score_points

AFTER = timedelta(days=14)
"""How long after a lead has come it is looked at."""
WITHIN = timedelta(days=60)
"""For how long it is then watched."""


@dataclass(frozen=True)
class Question:
    """What is asked: by which event leads show that they buy, when they are looked at, and for how long watched."""

    goal: str
    after: timedelta = AFTER
    within: timedelta = WITHIN


def judge_by_history(
    connection: Connection, scoring: Scoring, question: Question, now: datetime
) -> ScoresJudged:
    """The scores that leads had, judged by what happened. `now` is house time.

    Counted are those who came long enough ago to be watched to the end, and had not bought when they were looked at.
    Of rules without an event it is not known since when they hold: they are judged as they hold now.
    """
    bought = _firsts(connection, question.goal)
    given, went = _given(connection), _went(connection)
    watched = []
    came_by = now - question.after - question.within
    query = select(leads).where(
        leads.c.created_at <= came_by, leads.c.merged_into.is_(None), leads.c.erased_at.is_(None)
    )
    for lead in connection.execute(query.execution_options(yield_per=1_000)):
        look = lead.created_at + question.after
        first = bought.get(lead.id)
        if first is not None and first <= look:
            continue
        score, warmth = _at(went.get(lead.id), look)
        rules = {rule for rule, at in given.get(lead.id, ()) if at <= look}
        rules |= {rule.name for rule in standing(scoring, facts(lead), now)}
        has_bought = first is not None and first <= look + question.within
        watched.append(Watched(score, warmth, frozenset(rules), has_bought))
    return judge_scores(watched, {rule.name: rule.points for rule in scoring.rules})


def _firsts(connection: Connection, goal: str) -> dict[str, datetime]:
    """When each lead first did that."""
    at = func.min(func.coalesce(events.c.occurred_at, events.c.received_at))
    query = select(events.c.lead_id, at.label("at")).where(events.c.name == goal).group_by(events.c.lead_id)
    return {row.lead_id: row.at for row in connection.execute(query)}


def _given(connection: Connection) -> dict[str, list[tuple[str, datetime]]]:
    """By lead, when each rule first gave it points."""
    table = score_points.c
    query = select(table.lead_id, table.rule, func.min(table.at).label("at")).group_by(
        table.lead_id, table.rule
    )
    found: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for row in connection.execute(query.execution_options(yield_per=5_000)):
        found[row.lead_id].append((row.rule, row.at))
    return found


_Course = tuple[list[datetime], list[tuple[float, str]]]


def _went(connection: Connection) -> dict[str, _Course]:
    """By lead, how its score went."""
    table = score_changes.c
    query = select(table.lead_id, table.at, table.score, table.warmth).order_by(
        table.lead_id, table.at, table.id
    )
    found: dict[str, _Course] = defaultdict(lambda: ([], []))
    for row in connection.execute(query.execution_options(yield_per=5_000)):
        times, values = found[row.lead_id]
        times.append(row.at)
        values.append((row.score, row.warmth or "cold"))
    return found


def _at(course: _Course | None, moment: datetime) -> tuple[float, str]:
    if course is None:
        return 0.0, "cold"
    place = bisect_right(course[0], moment)
    return course[1][place - 1] if place else (0.0, "cold")


_VERDICTS = {
    "foretells": "foretells",
    "nothing": "says nothing",
    "contrary": "says the contrary",
    "not-enough": "not enough data yet",
}


def say_rule_verdict(one: RuleJudged) -> str:
    """What a rule is good for, in plain words."""
    return _VERDICTS[one.verdict]


def bad_rules(judged: ScoresJudged) -> list[str]:
    """What should be changed, a sentence each."""
    found = []
    for one in judged.rules:
        if one.verdict == "contrary":
            fewer = "less" if one.points > 0 else "more"
            found.append(
                f"“{one.rule}” gives {one.points:g} points, but who has them buys {fewer} often: turn it round."
            )
        elif one.verdict == "nothing":
            found.append(f"“{one.rule}” says nothing of who buys: its {one.points:g} points can go.")
    return found


def as_data(judged: ScoresJudged, question: Question) -> dict[str, Any]:
    """All of it for programs."""
    between = judged.ranking_between
    return {
        "goal": question.goal,
        "after_days": question.after / timedelta(days=1),
        "within_days": question.within / timedelta(days=1),
        "leads": judged.leads,
        "bought": judged.bought,
        "ranking": judged.ranking,
        "ranking_between": [between.low, between.high] if between else None,
        "by_warmth": {
            name: {"leads": one.leads, "bought": one.hits} for name, one in judged.by_warmth.items()
        },
        "rules": [_rule_data(one) for one in judged.rules],
        "advice": bad_rules(judged),
    }


def _rule_data(one: RuleJudged) -> dict[str, Any]:
    lift = one.judged.lift_between
    return {
        "rule": one.rule,
        "points": one.points,
        "with": {"leads": one.having.leads, "bought": one.having.hits},
        "without": {"leads": one.lacking.leads, "bought": one.lacking.hits},
        "lift": one.judged.lift,
        "lift_between": [lift.low, lift.high] if lift else None,
        "chance": one.judged.chance,
        "verdict": one.verdict,
    }


__all__ = ["Question", "as_data", "bad_rules", "judge_by_history", "say_rule_verdict"]
