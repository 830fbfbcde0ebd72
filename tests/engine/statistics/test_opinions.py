"""The Net Promoter Score, held against an example that was published and against the mean of the answers."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dripline.engine.statistics.opinions import Opinions, net_interval


def test_the_score_and_its_error_are_those_of_the_published_example() -> None:
    """William Huber on Cross Validated, "How can I calculate margin of error in a NPS": 1/2, 1/3 and 1/6 of 324."""
    said = Opinions(162, 108, 54)
    assert said.net == pytest.approx(1 / 3)
    assert said.error == pytest.approx(sqrt(5) / 3 / sqrt(324))
    assert round(100 * said.error, 1) == 4.1


@given(st.lists(st.integers(0, 10), min_size=2, max_size=300))
def test_the_error_is_that_of_a_mean_of_ones_and_zeros(answers: list[int]) -> None:
    points = [1 if one >= 9 else -1 if one <= 6 else 0 for one in answers]
    said = Opinions(points.count(1), points.count(0), points.count(-1))
    assert said.net == pytest.approx(sum(points) / len(points))
    assert said.error == pytest.approx(stats.sem(points, ddof=0), abs=1e-9)


def test_the_interval_is_the_adjusted_one_and_stays_within_bounds() -> None:
    """Three answers more: 15 promoters, 13 passives and 8 detractors become 15.75, 14.5 and 8.75 of 39."""
    found = net_interval(Opinions(15, 13, 8))
    middle, share = 7 / 39, 24.5 / 39
    spread = 1.959964 * sqrt((share - middle**2) / 39)
    assert (found.low, found.high) == pytest.approx((middle - spread, middle + spread))
    assert net_interval(Opinions(0, 0, 0)).low == -1
    assert net_interval(Opinions(5, 0, 0)).high == 1
