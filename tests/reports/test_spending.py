"""What was paid: read, kept once, and laid on the days of a period."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dripline.reports.period import Period
from dripline.reports.spending import SpendError, read_spend, read_spends, spent_by
from dripline.store.database import Store
from dripline.store.spends import Spend, keep_spends, list_spends, remove_spend

AT = datetime(2026, 4, 1, tzinfo=UTC)
MARCH = Spend(date(2026, 3, 1), date(2026, 3, 31), 310_05, "USD", "google", "paid-search")


def test_a_cost_is_read_as_people_write_it() -> None:
    said = {"first_day": "2026-03-01", "last_day": "2026-03-31", "source": " google ", "amount": "310.05"}
    assert read_spend({**said, "channel": "paid-search", "currency": "usd"}, "AMD") == MARCH
    assert read_spend({"first_day": "2026-03-01", "amount": "5 000"}, "JPY").amount == 5_000


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"amount": "1"}, "first_day is needed"),
        ({"first_day": "March", "amount": "1"}, "first_day is no day, such as 2026-03-31"),
        (
            {"first_day": "2026-03-02", "last_day": "2026-03-01", "amount": "1"},
            "last_day is before 2026-03-02",
        ),
        ({"first_day": "2026-03-02", "amount": "1.001"}, "amount has more digits behind the point than USD"),
        ({"first_day": "2026-03-02", "amount": "much"}, "amount is no number"),
        ({"first_day": "2026-03-02", "amount": "nan"}, "amount has more digits"),
        ({"first_day": "2026-03-02", "amount": "-1"}, "amount is less than nothing"),
        ({"first_day": "2026-03-02", "amount": "1", "currency": "XXY"}, "currency is needed, such as AMD"),
    ],
)
def test_what_is_no_cost_is_told_by_field(said: dict[str, str], why: str) -> None:
    with pytest.raises(SpendError) as raised:
        read_spend(said, "USD")
    assert str(raised.value).startswith(why)


def test_a_file_of_costs_is_read_with_its_faults_by_line() -> None:
    file = ["First day;last_day;Source;amount\n", "2026-03-01;2026-03-31;google;310.05\n", ";;;\n", "x;;;1\n"]
    found, problems = read_spends(file, "USD")
    assert [one.amount for one in found] == [310_05]
    assert problems == ["4: first_day is no day, such as 2026-03-31."]
    assert read_spends(["first_day,amont\n"], "USD")[1] == [
        "1: there is no column `amont`, did you mean `amount`?",
        "1: the column `amount` is missing.",
    ]


def test_a_cost_that_is_told_again_is_told_anew(store: Store) -> None:
    with store.write() as connection:
        assert keep_spends(connection, [MARCH], "ani", AT) == (1, 0)
        assert keep_spends(connection, [MARCH], "ani", AT) == (0, 0)
        more = Spend(MARCH.first_day, MARCH.last_day, 400_00, "USD", "google", "paid-search")
        assert keep_spends(connection, [more], "ani", AT) == (0, 1)
        [row] = list_spends(connection)
        assert (row.amount, row.id) == (400_00, MARCH.id)
        assert remove_spend(connection, MARCH.id)
        assert not remove_spend(connection, MARCH.id)


def test_a_month_is_laid_on_its_days(store: Store) -> None:
    zone = ZoneInfo("UTC")
    with store.write() as connection:
        keep_spends(
            connection, [MARCH, Spend(MARCH.first_day, MARCH.first_day, 7, "AMD", "google")], None, AT
        )

        def spent(first: date | None, last: date) -> int:
            return spent_by(connection, Period(first, last, zone), "source", "USD").get("google", 0)

        parts = [spent(date(2026, 3, 1), date(2026, 3, 9)), spent(date(2026, 3, 10), date(2026, 4, 9))]
        assert parts == [90_01, 220_04]
        assert spent(None, date(2026, 12, 31)) == spent(date(2026, 3, 1), date(2026, 3, 31)) == sum(parts)
        assert spent(date(2026, 4, 1), date(2026, 4, 9)) == 0
