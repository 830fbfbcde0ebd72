"""Moments of the calendar: the next one, clock changes both ways, weekdays far apart, short months, holidays."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.calendar import at_local, zone
from dripline.engine.moments import next_such, of_date
from dripline.language.expressions import EvaluationError
from dripline.language.plan import Duration, Moment
from tests.engine.test_hours import ZONES, at

NINE = Moment(at=540)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2026-01-05 08:59", "2026-01-05 09:00"),
        ("2026-01-05 09:00", "2026-01-06 09:00"),
        ("2026-01-05 09:01", "2026-01-06 09:00"),
    ],
)
def test_the_next_nine_o_clock_is_tomorrows_if_it_is_nine_now(now: str, found: str) -> None:
    for name in ZONES[:10]:
        assert next_such(NINE, at(now, name), zone(name), None) == at(found, name)


def test_nine_is_nine_on_both_sides_of_a_clock_change() -> None:
    paris = zone("Europe/Paris")
    for before, hours in (("2026-03-28 09:00", 23), ("2026-10-24 09:00", 25)):
        start = at(before, "Europe/Paris")
        assert next_such(NINE, start, paris, None) == start + timedelta(hours=hours)


def test_a_time_that_does_not_exist_is_the_next_one_that_does_and_one_that_happens_twice_the_first() -> None:
    new_york = zone("America/New_York")
    spring = next_such(Moment(at=150), at("2026-03-08 00:00", "America/New_York"), new_york, None)
    assert spring == at("2026-03-08 03:00", "America/New_York")
    autumn = next_such(Moment(at=90), at("2026-11-01 00:00", "America/New_York"), new_york, None)
    assert autumn == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    again = next_such(Moment(at=90), datetime(2026, 11, 1, 5, 30, tzinfo=UTC), new_york, None)
    assert again == at("2026-11-02 01:30", "America/New_York")


def test_the_weekday_is_that_of_the_local_date() -> None:
    monday = Moment(weekdays=(0,), at=540)
    instant = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)  # Sunday evening in Los Angeles, Monday morning in Tokyo
    los_angeles = next_such(monday, instant, zone("America/Los_Angeles"), None)
    tokyo = next_such(monday, instant, zone("Asia/Tokyo"), None)
    assert los_angeles == at("2026-01-05 09:00", "America/Los_Angeles")
    assert tokyo == at("2026-01-12 09:00", "Asia/Tokyo")


@given(
    name=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    minutes=st.integers(0, 1439),
    weekday=st.none() | st.integers(0, 6),
)
def test_the_next_moment_is_later_is_such_a_one_and_is_the_first(
    name: str, now: datetime, minutes: int, weekday: int | None
) -> None:
    where = zone(name)
    moment = Moment(at=minutes, weekdays=() if weekday is None else (weekday,))
    found = next_such(moment, now, where, None)
    assert found is not None
    assert found > now
    today = now.astimezone(where).date()
    days = [today + timedelta(days=n) for n in range(-1, 16)]
    such = [day for day in days if weekday is None or day.weekday() == weekday]
    clock = timedelta(minutes=minutes)
    midnight = datetime.min.time()
    expected = [at_local(datetime.combine(day, midnight) + clock, where) for day in such]
    assert found == min(one for one in expected if one > now)


@pytest.mark.parametrize(
    ("moment", "value", "found"),
    [
        (Moment(), date(2026, 1, 31), "2026-01-31 09:00"),
        (Moment(at=600), date(2026, 1, 31), "2026-01-31 10:00"),
        (Moment(offset=Duration(months=1)), date(2026, 1, 31), "2026-02-28 09:00"),
        (Moment(offset=Duration(months=1)), date(2028, 1, 31), "2028-02-29 09:00"),
        (Moment(offset=Duration(months=12)), date(2028, 2, 29), "2029-02-28 09:00"),
        (Moment(offset=Duration(months=48)), date(2028, 2, 29), "2032-02-29 09:00"),
        (Moment(offset=Duration(days=-7)), date(2026, 3, 3), "2026-02-24 09:00"),
        (Moment(offset=Duration(seconds=-7200)), date(2026, 3, 3), "2026-03-03 07:00"),
        (Moment(weekdays=(0,)), date(2026, 1, 6), "2026-01-12 09:00"),
        (Moment(weekdays=(1,)), date(2026, 1, 6), "2026-01-06 09:00"),
        (Moment(at=600), "2026-12-24", "2026-12-24 10:00"),
        (Moment(), "2026-12-24T11:30:00+04:00", "2026-12-24 11:30"),
        (Moment(at=540), datetime(2026, 1, 5, 22, 0, tzinfo=UTC), "2026-01-06 09:00"),
        (Moment(weekdays=(4,)), datetime(2026, 1, 5, 22, 15, tzinfo=UTC), "2026-01-09 02:15"),
        (Moment(offset=Duration(days=-1)), datetime(2026, 1, 5, 22, 15, tzinfo=UTC), "2026-01-05 02:15"),
    ],
)
def test_a_date_is_counted_from_in_the_leads_calendar(moment: Moment, value: Any, found: str) -> None:
    assert of_date(moment, value, zone("Asia/Yerevan")) == at(found, "Asia/Yerevan")


@pytest.mark.parametrize("value", ["soon", 8, True, ["2026-01-01"]])
def test_what_is_no_date_parks_the_run(value: Any) -> None:
    with pytest.raises(EvaluationError, match="not-a-date"):
        of_date(Moment(), value, zone("UTC"))


@given(
    value=st.dates() | st.datetimes(timezones=st.just(UTC)),
    months=st.integers(-1200, 1200),
    days=st.integers(-36525, 36525),
    name=st.sampled_from(ZONES),
    weekdays=st.sampled_from([(), (0,), (5, 6)]),
    minutes=st.none() | st.integers(0, 1439),
)
def test_no_date_that_there_is_breaks_the_reckoning(
    value: date | datetime, months: int, days: int, name: str, weekdays: tuple[int, ...], minutes: int | None
) -> None:
    moment = Moment(offset=Duration(months=months, days=days), weekdays=weekdays, at=minutes)
    with suppress(EvaluationError):
        assert of_date(moment, value, zone(name)).tzinfo is UTC


def test_the_next_holiday_is_that_of_the_leads_country() -> None:
    holiday = Moment(holiday=True, at=600)
    new_year = next_such(holiday, at("2025-12-31 10:00", "Asia/Yerevan"), zone("Asia/Yerevan"), "AM")
    assert new_year == at("2026-01-01 10:00", "Asia/Yerevan")
    france = next_such(holiday, at("2026-07-01 10:00", "Europe/Paris"), zone("Europe/Paris"), "fr")
    assert france == at("2026-07-14 10:00", "Europe/Paris")
    before = Moment(holiday=True, offset=Duration(days=-1))
    assert next_such(before, at("2026-07-01 10:00", "Europe/Paris"), zone("Europe/Paris"), "FR") == at(
        "2026-07-13 09:00", "Europe/Paris"
    )


@pytest.mark.parametrize("country", [None, "", "XX"])
def test_without_a_country_there_is_no_holiday(country: str | None) -> None:
    assert next_such(Moment(holiday=True), at("2026-07-01 10:00", "UTC"), zone("UTC"), country) is None
