"""Working time: what counts of a length of time, by the hours of a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dripline.engine.working import after_work
from dripline.language.durations import parse_duration
from dripline.language.plan import Hours, Person

ANNA = Person(hours=(Hours(start=540, end=1080, days=(0, 1, 2, 3, 4)),), timezone="Asia/Yerevan")
TWICE = Person(hours=(Hours(start=540, end=720), Hours(start=780, end=1020)))
NIGHTS = Person(hours=(Hours(start=1320, end=360),))


@pytest.mark.parametrize(
    ("at", "length", "ends"),
    [
        ("2026-03-02T10:00+04:00", "2h", "2026-03-02T12:00+04:00"),  # Monday
        ("2026-03-02T17:00+04:00", "2h", "2026-03-03T10:00+04:00"),
        ("2026-03-06T17:30+04:00", "4h", "2026-03-09T12:30+04:00"),  # over the weekend
        ("2026-03-07T03:00+04:00", "30 minutes", "2026-03-09T09:30+04:00"),
        ("2026-03-06T11:00+04:00", "1 day", "2026-03-09T11:00+04:00"),
        ("2026-03-06T11:00+04:00", "2 days 1h", "2026-03-10T12:00+04:00"),
        ("2026-03-02T09:00+04:00", "9h", "2026-03-02T18:00+04:00"),
    ],
)
def test_hours_are_counted_while_anna_works(at: str, length: str, ends: str) -> None:
    found = after_work(datetime.fromisoformat(at), parse_duration(length), ANNA, "UTC")
    assert found == datetime.fromisoformat(ends)


def test_a_break_at_noon_does_not_count() -> None:
    at = datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert after_work(at, parse_duration("2h"), TWICE, "UTC") == datetime(2026, 3, 2, 14, tzinfo=UTC)


def test_a_shift_may_go_on_after_midnight() -> None:
    at = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert after_work(at, parse_duration("8h"), NIGHTS, "UTC") == datetime(2026, 3, 3, 23, tzinfo=UTC)


def test_who_has_no_hours_works_always() -> None:
    at = datetime(2026, 3, 7, 3, tzinfo=UTC)
    assert after_work(at, parse_duration("2h"), Person(), "UTC") == datetime(2026, 3, 7, 5, tzinfo=UTC)
    assert after_work(at, parse_duration("2h"), None, "UTC") == datetime(2026, 3, 7, 5, tzinfo=UTC)
