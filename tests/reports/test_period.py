"""Which days are meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dripline.reports.days import day_of
from dripline.reports.period import PeriodError, read_period

YEREVAN = ZoneInfo("Asia/Yerevan")
NOW = datetime(2026, 3, 30, 21, tzinfo=UTC)  # the 31st at one o'clock, in Yerevan


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        (None, None, date(2026, 1, 1), date(2026, 3, 31)),
        ("7 days", None, date(2026, 3, 25), date(2026, 3, 31)),
        ("2026-02-01", "2026-02-28", date(2026, 2, 1), date(2026, 2, 28)),
        ("1 week", "2026-02-28", date(2026, 2, 22), date(2026, 2, 28)),
        ("beginning", None, None, date(2026, 3, 31)),
    ],
)
def test_days_are_said_as_people_say_them(
    since: str | None, until: str | None, first: date | None, last: date
) -> None:
    period = read_period(since, until, NOW, YEREVAN)
    assert (period.first, period.last) == (first, last)


def test_a_day_begins_and_ends_where_people_are() -> None:
    period = read_period("2026-03-31", None, NOW, YEREVAN)
    assert period.start == datetime(2026, 3, 30, 20, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 31, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        ("2026-02-30", None, "since: `2026-02-30` is no day; write it like 2026-03-31."),
        ("soon", None, "since: `soon` is neither a day nor a length"),
        ("2026-04-01", "2026-03-01", "since: 2026-04-01 is after 2026-03-01"),
        (None, "yesterday", "until: `yesterday` is no day"),
    ],
)
def test_what_is_no_period_is_told(since: str | None, until: str | None, why: str) -> None:
    with pytest.raises(PeriodError) as raised:
        read_period(since, until, NOW, YEREVAN)
    assert str(raised.value).startswith(why)


@pytest.mark.parametrize(
    ("zone", "day"), [("Asia/Kathmandu", "2026-03-31"), ("Asia/Kolkata", "2026-03-30"), ("UTC", "2026-03-30")]
)
def test_a_slot_falls_on_one_local_day_in_every_zone(zone: str, day: str) -> None:
    at = int(datetime(2026, 3, 30, 18, 20, tzinfo=UTC).timestamp())  # 00:05 in Kathmandu, 23:50 in Kolkata
    assert day_of(at // 900, ZoneInfo(zone)).isoformat() == day
