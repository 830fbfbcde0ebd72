"""Quiet hours and windows: over midnight, over clock changes, in zones of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.calendar import zone
from dripline.engine.hours import clock_time, opens
from dripline.language.plan import Hours

NIGHT = Hours(start=21 * 60, end=9 * 60)
WORK = (Hours(start=9 * 60, end=18 * 60, days=(0, 1, 2, 3, 4)),)
ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "Europe/Paris",
    "Europe/Dublin",  # whose summer is tz's standard time
    "Australia/Lord_Howe",  # half an hour
    "Australia/Adelaide",
    "America/Santiago",  # at midnight
    "Asia/Beirut",  # at midnight
    "Africa/Cairo",
    "Pacific/Chatham",  # a quarter to
    "Asia/Tokyo",
    "Asia/Yerevan",  # changed its rules
    "Pacific/Apia",  # lost a day
    "Europe/Volgograd",
    "Africa/Casablanca",  # Ramadan
]
MINUTES = st.integers(0, 1439)


def at(text: str, name: str) -> datetime:
    """A local time as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(name)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-01-05 20:59", "2026-01-05 20:59"),
        ("2026-01-05 21:00", "2026-01-06 09:00"),
        ("2026-01-06 00:00", "2026-01-06 09:00"),
        ("2026-01-06 08:59", "2026-01-06 09:00"),
        ("2026-01-06 09:00", "2026-01-06 09:00"),
    ],
)
def test_quiet_hours_go_over_midnight(now: str, opening: str) -> None:
    assert opens(at(now, "Asia/Yerevan"), zone("Asia/Yerevan"), NIGHT) == at(opening, "Asia/Yerevan")


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-01-05 08:00", "2026-01-05 09:00"),
        ("2026-01-05 17:59", "2026-01-05 17:59"),
        ("2026-01-05 18:00", "2026-01-06 09:00"),
        ("2026-01-09 18:00", "2026-01-12 09:00"),
        ("2026-01-11 12:00", "2026-01-12 09:00"),
    ],
)
def test_a_window_opens_on_its_days(now: str, opening: str) -> None:
    for name in ("America/Los_Angeles", "Asia/Tokyo"):
        assert opens(at(now, name), zone(name), None, WORK) == at(opening, name)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    friday_night = (Hours(start=20 * 60, end=2 * 60, days=(4,)),)
    utc = zone("UTC")
    assert opens(at("2026-01-10 01:00", "UTC"), utc, None, friday_night) == at("2026-01-10 01:00", "UTC")
    assert opens(at("2026-01-10 02:00", "UTC"), utc, None, friday_night) == at("2026-01-16 20:00", "UTC")


def test_the_window_is_what_quiet_hours_leave_of_it() -> None:
    early = (Hours(start=6 * 60, end=12 * 60, days=(0,)),)
    assert opens(at("2026-01-06 06:00", "UTC"), zone("UTC"), NIGHT, early) == at("2026-01-12 09:00", "UTC")


def test_hours_end_at_the_same_wall_clock_on_both_sides_of_a_clock_change() -> None:
    paris = zone("Europe/Paris")
    for evening, hours in (("2026-03-28 21:00", 11), ("2026-10-24 21:00", 13), ("2026-06-01 21:00", 12)):
        start = at(evening, "Europe/Paris")
        assert opens(start, paris, NIGHT) - start == timedelta(hours=hours)


def test_an_end_that_does_not_exist_is_the_next_moment_and_one_that_happens_twice_the_first() -> None:
    until_half_past_two = Hours(start=21 * 60, end=2 * 60 + 30)
    new_york = zone("America/New_York")
    spring = opens(at("2026-03-07 23:00", "America/New_York"), new_york, until_half_past_two)
    assert spring == at("2026-03-08 03:00", "America/New_York")
    until_half_past_one = Hours(start=21 * 60, end=60 + 30)
    autumn = opens(at("2026-10-31 23:00", "America/New_York"), new_york, until_half_past_one)
    assert autumn == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert opens(autumn + timedelta(minutes=30), new_york, until_half_past_one) == autumn + timedelta(
        minutes=30
    )


@given(
    name=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    start=MINUTES,
    end=MINUTES,
)
def test_whenever_quiet_hours_end_it_is_the_first_moment_that_is_not_quiet(
    name: str, now: datetime, start: int, end: int
) -> None:
    where = zone(name)
    quiet = Hours(start=start, end=end if end != start else (end + 60) % 1440)
    opening = opens(now, where, quiet)
    assert now <= opening <= now + timedelta(hours=26)
    assert opens(opening, where, quiet) == opening
    if opening > now:
        assert opens(opening - timedelta(seconds=1), where, quiet) == opening
        day = opening.astimezone(where).date()
        ends = {clock_time(day + timedelta(days=n), quiet.end, where) for n in (-1, 0, 1)}
        assert opening in ends


@given(
    name=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
)
def test_what_opens_is_in_the_window_and_not_quiet_by_the_clocks_there(name: str, now: datetime) -> None:
    where = zone(name)
    opening = opens(now, where, NIGHT, WORK)
    local = opening.astimezone(where)
    assert local.weekday() < 5
    assert 9 <= local.hour < 18
    assert now <= opening <= now + timedelta(days=5)
    assert opening in (now, clock_time(local.date(), 540, where))
