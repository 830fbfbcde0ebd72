"""Which touch earned an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.reports.amounts import divide, share_of_days
from dripline.reports.attribution import MODELS, Model, Touched, credit, path_to

BOUGHT = datetime(2026, 3, 31, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


def touched(days: float, key: str | None, *, is_direct: bool = False) -> Touched:
    return Touched(BOUGHT - timedelta(days=days), key, is_direct)


def test_what_came_too_early_or_after_the_order_has_no_part_in_it() -> None:
    path = [touched(31, "early"), touched(30, "edge"), touched(2, "near"), touched(-1, "late")]
    assert [one.key for one in path_to(BOUGHT, path, MONTH)] == ["edge", "near"]


def test_a_direct_visit_counts_only_where_there_is_nothing_else() -> None:
    direct = touched(1, None, is_direct=True)
    assert path_to(BOUGHT, [touched(9, "ad"), direct], MONTH) == [touched(9, "ad")]
    assert path_to(BOUGHT, [direct], MONTH) == [direct]


@pytest.mark.parametrize(
    ("model", "credited"),
    [
        ("first", [("ad", 100)]),
        ("last", [("letter", 100)]),
        ("linear", [("ad", 34), ("post", 33), ("letter", 33)]),
    ],
)
def test_each_model_credits(model: Model, credited: list[tuple[str, int]]) -> None:
    path = [touched(9, "ad"), touched(5, "post"), touched(1, "letter")]
    assert credit(100, path, model) == credited
    assert credit(100, [], model) == [(None, 100)]


@given(st.integers(-(10**12), 10**12), st.integers(0, 40), st.sampled_from(MODELS))
def test_nothing_is_lost_and_nothing_is_added(amount: int, touches: int, model: Model) -> None:
    path = [touched(day, f"t{day}") for day in range(touches, 0, -1)]
    assert sum(part for _, part in credit(amount, path, model)) == amount


@given(st.integers(0, 10**9), st.integers(1, 50))
def test_parts_are_as_equal_as_can_be(amount: int, parts: int) -> None:
    divided = divide(amount, parts)
    assert sum(divided) == amount
    assert max(divided) - min(divided) <= 1


@given(st.integers(0, 10**9), st.lists(st.integers(1, 40), min_size=1, max_size=9))
def test_a_cost_is_the_same_however_its_days_are_cut(amount: int, lengths: list[int]) -> None:
    days = sum(lengths)
    cut = [
        share_of_days(amount, sum(lengths[:number]), length, days) for number, length in enumerate(lengths)
    ]
    assert sum(cut) == amount
