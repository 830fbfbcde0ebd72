"""Intervals and tests of shares, held against scipy and against examples that were published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk

from dripline.engine.statistics.means import Summed, mean_difference
from dripline.engine.statistics.planning import days_until, leads_needed
from dripline.engine.statistics.proportions import (
    Counted,
    chance,
    difference_interval,
    is_enough,
    lift_interval,
    share_interval,
)


@st.composite
def counted(draw: st.DrawFn) -> Counted:
    leads = draw(st.integers(1, 20_000))
    return Counted(draw(st.integers(0, leads)), leads)


@given(counted())
def test_the_interval_of_a_share_is_scipys(one: Counted) -> None:
    theirs = stats.binomtest(one.hits, one.leads).proportion_ci(0.95, method="wilson")
    ours = share_interval(one)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counted(), counted())
def test_the_chance_of_a_difference_is_scipys(one: Counted, other: Counted) -> None:
    table = [[one.hits, one.leads - one.hits], [other.hits, other.leads - other.hits]]
    if 0 in (one.hits + other.hits, one.leads + other.leads - one.hits - other.hits):
        assert chance(one, other) == 1.0
        return
    assert chance(one, other) == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue, abs=1e-9
    )


@given(counted(), counted())
def test_the_interval_of_a_lift_is_scipys(one: Counted, other: Counted) -> None:
    ours = lift_interval(one, other)
    if not one.hits or not other.hits:
        assert ours is None
        return
    theirs = relative_risk(one.hits, one.leads, other.hits, other.leads).confidence_interval(0.95)
    assert ours is not None
    assert (ours.low + 1, ours.high + 1) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10
        (Counted(56, 70), Counted(48, 80), 0.0524, 0.3339),
        (Counted(9, 10), Counted(3, 10), 0.1705, 0.8090),
        (Counted(6, 7), Counted(2, 7), 0.0582, 0.8062),
        (Counted(5, 56), Counted(0, 29), -0.0381, 0.1926),
        (Counted(0, 10), Counted(0, 20), -0.1611, 0.2775),
        (Counted(0, 10), Counted(0, 10), -0.2775, 0.2775),
        (Counted(10, 10), Counted(0, 20), 0.6791, 1.0000),
        (Counted(10, 10), Counted(0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_is_the_one_that_was_published(
    one: Counted, other: Counted, low: float, high: float
) -> None:
    ours = difference_interval(one, other)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=6e-5)


def test_nobody_tells_nothing() -> None:
    nobody = Counted(0, 0)
    assert (nobody.share, share_interval(nobody).low, share_interval(nobody).high) == (0.0, 0.0, 1.0)
    assert chance(nobody, Counted(3, 10)) == 1.0
    assert not is_enough(nobody, nobody)


@pytest.mark.parametrize(
    ("share", "other", "power", "leads"),
    [  # by the formula in Fleiss, Levin and Paik, as R's power.prop.test has it
        (0.5, 0.75, 0.9, 77),  # the example of its help page: n = 76.7
        (0.10, 0.12, 0.8, 3841),
        (0.05, 0.06, 0.8, 8158),
    ],
)
def test_as_many_leads_are_needed_as_others_say(share: float, other: float, power: float, leads: int) -> None:
    assert leads_needed(share, other, power=power) == leads
    assert leads_needed(share, share) is None


def test_groups_of_different_sizes_need_more_leads_in_all() -> None:
    even, one_in_ten = leads_needed(0.1, 0.12), leads_needed(0.1, 0.12, ratio=9)
    assert even is not None
    assert one_in_ten is not None
    assert 10 * one_in_ten > 2 * even


def test_days_are_told_only_while_somebody_comes() -> None:
    assert (days_until(100, 220, 10.0), days_until(100, 100, 0.0), days_until(1, 2, 0.0)) == (12, 0, None)


def test_the_difference_of_means_is_welchs() -> None:
    rng = stats.expon(scale=30).rvs
    one, other = rng(size=400, random_state=1), rng(size=250, random_state=2) * 1.2
    ours = mean_difference(
        Summed(400, float(one.sum()), float((one**2).sum())),
        Summed(250, float(other.sum()), float((other**2).sum())),
    )
    theirs = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert mean_difference(Summed(29, 1, 1), Summed(400, 1, 1)) is None
