"""Judging rules by what leads did: against scipy, and by a made-up crowd whose truth is known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from dripline.engine.statistics.scoring import Watched, judge_scores, rank

numbers = st.lists(st.integers(-3, 20).map(float), min_size=1, max_size=40)


@given(numbers, numbers)
def test_the_ranking_is_the_one_of_mann_and_whitney(hits: list[float], misses: list[float]) -> None:
    share, between = rank(hits, misses)
    assert share is not None
    assert between is not None
    statistic = mannwhitneyu(hits, misses, method="asymptotic").statistic
    assert share == pytest.approx(statistic / (len(hits) * len(misses)))
    assert between.low <= share <= between.high


def test_without_anybody_who_bought_nothing_is_ranked() -> None:
    assert rank([], [1.0]) == (None, None)


def crowd(number: int) -> list[Watched]:
    """Leads of whom 10 % buy: three times as many with a demo, fewer with a complaint, and a badge says nothing."""
    draw = random.Random(7)
    found = []
    for _ in range(number):
        demo, complaint, badge, rare = (draw.random() < share for share in (0.3, 0.3, 0.5, 0.002))
        chance = 0.10 * (3 if demo else 1) * (0.4 if complaint else 1)
        rules = {
            name
            for name, has in (("Demo", demo), ("Complaint", complaint), ("Badge", badge), ("Rare", rare))
            if has
        }
        score = 30.0 * demo + 10.0 * complaint + 5.0 * badge
        warmth = "hot" if score > 30 else "warm" if score >= 10 else "cold"
        found.append(Watched(score, warmth, frozenset(rules), draw.random() < chance))
    return found


def test_rules_that_say_nothing_or_the_contrary_are_found_out() -> None:
    judged = judge_scores(crowd(6_000), {"Demo": 30, "Complaint": 10, "Badge": 5, "Rare": 20})
    verdicts = {one.rule: one.verdict for one in judged.rules}
    assert verdicts == {
        "Demo": "foretells",
        "Complaint": "contrary",
        "Badge": "nothing",
        "Rare": "not-enough",
    }
    demo = next(one for one in judged.rules if one.rule == "Demo")
    assert demo.judged.lift_between is not None
    assert 2 in demo.judged.lift_between, "three times as many"
    assert sum(one.leads for one in judged.by_warmth.values()) == judged.leads == 6_000
    assert judged.ranking is not None
    assert judged.ranking > 0.55


def test_points_that_are_taken_away_foretell_where_fewer_buy() -> None:
    judged = judge_scores(crowd(6_000), {"Complaint": -10})
    assert judged.rules[0].verdict == "foretells"


def test_of_a_few_leads_nothing_is_said() -> None:
    judged = judge_scores(crowd(60), {"Demo": 30, "Badge": 5})
    assert {one.verdict for one in judged.rules} == {"not-enough"}
