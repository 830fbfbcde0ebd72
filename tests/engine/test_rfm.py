"""RFM by the book: fifths of one size, equals together; and the CDNOW history, recounted by pandas."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.rfm import Purchases, Rank, as_told, fifths, ranked

DAY = date(2026, 1, 1)
buyers_strategy = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(0, 50)), min_size=1, max_size=40
).map(
    lambda said: [
        Purchases(f"lead-{number}", DAY + timedelta(days=day), orders, spent)
        for number, (day, orders, spent) in enumerate(said)
    ]
)


def test_ten_buyers_make_five_pairs() -> None:
    buyers = [Purchases(f"{n}", DAY + timedelta(days=n), n + 1, 100 - n) for n in range(10)]
    assert [rank.r for rank in ranked(buyers).values()] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [rank.f for rank in ranked(buyers).values()] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [rank.m for rank in ranked(buyers).values()] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_all_who_bought_once_are_together_and_at_the_bottom() -> None:
    buyers = [Purchases(f"{n}", DAY, 1 if n < 6 else n, n) for n in range(10)]
    assert [rank.f for rank in ranked(buyers).values()] == [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]
    assert {rank.r for rank in ranked(buyers).values()} == {1}


def test_nested_ranks_are_within_their_cells() -> None:
    buyers = [Purchases(f"{n}", DAY + timedelta(days=n // 5), n % 5, n) for n in range(25)]
    nested = ranked(buyers, nested=True)
    assert Counter((rank.r, rank.f) for rank in nested.values()) == {
        (r, f): 1 for r in range(1, 6) for f in range(1, 6)
    }
    assert {rank.m for rank in nested.values()} == {1}


def test_what_leads_have_of_it_says_the_cell_in_one_word() -> None:
    told = as_told(Purchases("lead-1", DAY, 3, 1234), Rank(5, 4, 1), 12.34)
    assert told == {
        "r": 5, "f": 4, "m": 1, "cell": "541", "orders": 3, "spent": 12.34, "last": "2026-01-01"
    }  # fmt: skip


@given(buyers_strategy)
def test_more_is_never_a_lower_fifth_and_equals_are_together(buyers: list[Purchases]) -> None:
    found = fifths(buyers, lambda one: one.spent)
    assert set(found.values()) <= {1, 2, 3, 4, 5}
    assert min(found.values()) == 1
    for one in buyers:
        for other in buyers:
            if one.spent >= other.spent:
                assert found[one.lead] >= found[other.lead]


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """Every purchase of the 23,570 customers who first bought at CDNOW in early 1997 (Fader and Hardie)."""
    package = find_spec(
        "lifetimes"
    )  # not imported: it ships the data, and all that it needs to reckon with it
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
    names = ["customer", "day", "number", "dollars"]
    frame = pd.read_csv(path, sep=r"\s+", names=names, skiprows=1, dtype={"customer": str})
    frame["day"] = pd.to_datetime(frame["day"].astype(str), format="%Y%m%d")
    frame["cents"] = (frame["dollars"] * 100).round().astype(int)
    return frame


@pytest.fixture(scope="module")
def customers(cdnow: pd.DataFrame) -> pd.DataFrame:
    by = cdnow.groupby("customer")
    return pd.DataFrame({"last": by["day"].max(), "orders": by.size(), "spent": by["cents"].sum()})


def test_the_cdnow_history_is_ranked_as_pandas_ranks_it(customers: pd.DataFrame) -> None:
    assert (len(customers), int(customers["orders"].sum())) == (23_570, 69_659)
    buyers = [
        Purchases(str(row.Index), row.last.date(), int(row.orders), int(row.spent))
        for row in customers.itertuples()
    ]
    found = ranked(buyers)
    behind = (customers.rank(method="min") - 1) * 5 // len(customers) + 1
    wanted = behind.astype(int)
    assert [found[lead].r for lead in customers.index] == wanted["last"].tolist()
    assert [found[lead].f for lead in customers.index] == wanted["orders"].tolist()
    assert [found[lead].m for lead in customers.index] == wanted["spent"].tolist()
    # Half of them bought once; money has few equals, so that its fifths are of one size but for them.
    once = sum(rank.f == 1 for rank in found.values())
    assert once == int((customers["orders"] == 1).sum()) == 11_908
    sizes = Counter(rank.m for rank in found.values())
    assert all(abs(size - len(buyers) / 5) < 120 for size in sizes.values()), sizes


def test_the_nested_ranks_of_cdnow_are_those_that_pandas_finds_cell_by_cell(customers: pd.DataFrame) -> None:
    buyers = [
        Purchases(str(row.Index), row.last.date(), int(row.orders), int(row.spent))
        for row in customers.itertuples()
    ]
    found = ranked(buyers, nested=True)
    frame = customers.assign(r=[found[lead].r for lead in customers.index])

    def within(column: str, cells: list[str]) -> pd.Series:
        groups = frame.groupby(cells)[column]
        return ((groups.rank(method="min") - 1) * 5 // groups.transform("size") + 1).astype(int)

    frame["f"] = within("orders", ["r"])
    frame["m"] = within("spent", ["r", "f"])
    assert [found[lead].f for lead in frame.index] == frame["f"].tolist()
    assert [found[lead].m for lead in frame.index] == frame["m"].tolist()
