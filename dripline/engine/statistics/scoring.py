"""Whether scores foretell who buys: every rule by itself, and all of them together.

Leads are looked at a fixed time after they came, and are counted by what happened afterwards: who had bought by then
is left out. So nobody has more points only for having had more time (a landmark analysis: Anderson, Cain and Gelber,
1983).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Literal

from dripline.engine.statistics.proportions import Counted, Interval, deviations
from dripline.engine.statistics.verdicts import Judged, judge

Verdict = Literal["foretells", "nothing", "contrary", "not-enough"]
WORTH = 0.5
"""A rule that is worth having changes how many buy by half."""


@dataclass(frozen=True)
class Watched:
    """A lead as it was when it was looked at, and whether it bought afterwards."""

    score: float
    warmth: str
    rules: frozenset[str]
    """The rules that had given it points."""
    bought: bool


@dataclass(frozen=True)
class RuleJudged:
    """A rule: who had its points, who had not, and what that says."""

    rule: str
    points: float
    having: Counted
    lacking: Counted
    verdict: Verdict
    judged: Judged


@dataclass(frozen=True)
class ScoresJudged:
    """All that can be said of the scores of these leads."""

    leads: int
    bought: int
    by_warmth: Mapping[str, Counted]
    """The coldest first."""
    ranking: float | None
    """How often one who bought had had more points than one who did not: 0.5 is a coin, 1 a prophet."""
    ranking_between: Interval | None
    rules: tuple[RuleJudged, ...]


def judge_scores(leads: Sequence[Watched], points: Mapping[str, float]) -> ScoresJudged:
    """Judge the rules, of which each gives so many points, by these leads."""
    found = [_judge_rule(leads, rule, each, len(points)) for rule, each in points.items()]
    ranking, between = rank(
        [one.score for one in leads if one.bought], [one.score for one in leads if not one.bought]
    )
    warmth = {
        name: Counted(
            sum(one.bought for one in leads if one.warmth == name), sum(one.warmth == name for one in leads)
        )
        for name in ("cold", "warm", "hot")
    }
    return ScoresJudged(len(leads), sum(one.bought for one in leads), warmth, ranking, between, tuple(found))


def _judge_rule(leads: Sequence[Watched], rule: str, points: float, rules: int) -> RuleJudged:
    having = [one for one in leads if rule in one.rules]
    lacking = [one for one in leads if rule not in one.rules]
    with_it, without = _counted(having), _counted(lacking)
    judged = judge(with_it, without, WORTH, (0.0, 0.0), rules)
    verdict: Verdict = "not-enough"
    if judged.kind == "no-difference":
        verdict = "nothing"
    elif judged.kind in ("better", "worse"):
        verdict = "foretells" if (judged.kind == "better") == (points > 0) else "contrary"
    return RuleJudged(rule, points, with_it, without, verdict, judged)


def _counted(leads: Sequence[Watched]) -> Counted:
    return Counted(sum(one.bought for one in leads), len(leads))


def rank(hits: Sequence[float], misses: Sequence[float]) -> tuple[float | None, Interval | None]:
    """How often a hit is above a miss, ties counting half (Mann and Whitney 1947), and where that may truly lie.

    The interval is that of Hanley and McNeil (1982). None where there are none of either kind.
    """
    n, m = len(hits), len(misses)
    if not n or not m:
        return None, None
    values = sorted([(value, True) for value in hits] + [(value, False) for value in misses])
    below, above = 0, 0.0
    for _, same in groupby(values, key=lambda one: one[0]):
        kinds = [hit for _, hit in same]
        here = sum(kinds)
        above += here * (below + (len(kinds) - here) / 2)
        below += len(kinds) - here
    share = above / (n * m)
    q1, q2 = share / (2 - share), 2 * share * share / (1 + share)
    spread = sqrt((share * (1 - share) + (n - 1) * (q1 - share**2) + (m - 1) * (q2 - share**2)) / (n * m))
    off = deviations(0.95) * spread
    return share, Interval(max(0.0, share - off), min(1.0, share + off))


__all__ = ["RuleJudged", "ScoresJudged", "Watched", "judge_scores", "rank"]
