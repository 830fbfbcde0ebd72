"""What is said of two arms, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from dripline.engine.statistics.proportions import Counted, is_enough
from dripline.engine.statistics.verdicts import Kind, is_uneven, judge


@pytest.mark.parametrize(
    ("arm", "control", "kind"),
    [
        (Counted(600, 5_000), Counted(500, 5_000), "better"),
        (Counted(400, 5_000), Counted(500, 5_000), "worse"),
        (Counted(505, 5_000), Counted(500, 5_000), "no-difference"),
        (Counted(14, 100), Counted(8, 100), "not-enough"),
        (Counted(40, 100), Counted(10, 100), "better"),  # so much that nobody need wait
        (Counted(3, 20), Counted(0, 20), "not-enough"),
        (Counted(0, 0), Counted(0, 0), "not-enough"),
    ],
)
def test_the_verdict_is(arm: Counted, control: Counted, kind: Kind) -> None:
    assert judge(arm, control, 0.2, (10.0, 10.0)).kind == kind


def test_what_is_missing_is_told_in_days() -> None:
    judged = judge(Counted(110, 1_000), Counted(100, 1_000), 0.2, (50.0, 50.0))
    assert (judged.kind, judged.needed, judged.days) == ("not-enough", 3_807, 57)
    assert judge(Counted(110, 1_000), Counted(100, 1_000), 0.2, (0.0, 50.0)).days is None


def test_a_small_control_group_is_the_one_that_is_waited_for() -> None:
    judged = judge(Counted(900, 9_000), Counted(90, 1_000), 0.2, (90.0, 10.0))
    assert judged.days is not None
    assert judged.kind == "not-enough"
    assert judged.needed == pytest.approx(9 * (1_000 + 10 * judged.days), rel=0.02)


def test_who_looks_every_day_is_seldom_fooled() -> None:
    """Two arms that are the same, 25 leads a day each, looked at each day until the planned size is reached."""
    rng, fooled, times = np.random.default_rng(6), 0, 1_000
    for _ in range(times):
        one, other = (np.cumsum(rng.binomial(25, 0.3, 60)) for _ in range(2))
        for day in range(60):
            leads = 25 * (day + 1)
            judged = judge(Counted(int(one[day]), leads), Counted(int(other[day]), leads), 0.2, (25.0, 25.0))
            if judged.kind != "not-enough":
                fooled += judged.kind != "no-difference"
                break
    assert fooled / times < 0.08, "5 % is what one look at the planned size costs"


def test_of_several_arms_each_has_to_show_more() -> None:
    alone = judge(Counted(560, 5_000), Counted(500, 5_000), 0.2, (1.0, 1.0))
    of_four = judge(Counted(560, 5_000), Counted(500, 5_000), 0.2, (1.0, 1.0), comparisons=4)
    assert of_four.needed > alone.needed
    assert of_four.between.high > alone.between.high
    early, control = Counted(41, 100), Counted(18, 100)
    assert judge(early, control, 0.2, (1.0, 1.0)).kind == "better"
    assert judge(early, control, 0.2, (1.0, 1.0), comparisons=4).kind == "not-enough"


def test_where_fewer_than_five_are_to_be_expected_chance_is_not_asked() -> None:
    assert is_enough(Counted(9, 20), Counted(1, 20))
    assert not is_enough(Counted(8, 20), Counted(1, 20))
    assert not is_enough(Counted(12, 20), Counted(19, 20))


@pytest.mark.parametrize(
    ("leads", "shares", "uneven"),
    [
        ((500, 500), (0.5, 0.5), False),
        ((520, 480), (0.5, 0.5), False),
        ((600, 400), (0.5, 0.5), True),
        ((90, 910), (0.1, 0.9), False),
        ((300, 300, 400), (1 / 3, 1 / 3, 1 / 3), True),
        ((1_088, 956, 956), (1 / 3, 1 / 3, 1 / 3), False),  # of three, one is soon a bit off
        ((10, 0), (1.0, 0.0), False),
        ((10, 1), (1.0, 0.0), True),
        ((0, 0), (0.5, 0.5), False),
    ],
)
def test_arms_that_the_lot_did_not_make_are_told(
    leads: tuple[int, ...], shares: tuple[float, ...], uneven: bool
) -> None:
    assert is_uneven(leads, shares) is uneven
