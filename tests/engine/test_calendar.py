"""Calendar time: clock changes, short months, zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.calendar import UnknownZone, add, at_local, zone, zone_of
from dripline.language.plan import Duration

DST_ZONES = ["America/New_York", "Europe/Paris", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"]


def test_a_day_keeps_the_wall_clock_when_the_clocks_change() -> None:
    paris = zone("Europe/Paris")
    before = datetime(2026, 3, 28, 9, 0, tzinfo=paris)
    after = add(before, Duration(days=1), paris).astimezone(paris)
    assert (after.day, after.hour) == (29, 9)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=23)


def test_hours_are_exact_when_the_clocks_change() -> None:
    paris = zone("Europe/Paris")
    before = datetime(2026, 3, 28, 9, 0, tzinfo=paris)
    assert add(before, Duration(seconds=24 * 3600), paris).astimezone(paris).hour == 10


def test_a_local_time_that_does_not_exist_is_the_next_one_that_does() -> None:
    new_york = zone("America/New_York")
    assert at_local(datetime(2026, 3, 8, 2, 30), new_york).astimezone(new_york).strftime("%H:%M") == "03:00"
    howe = zone("Australia/Lord_Howe")  # whose clocks jump by half an hour
    assert at_local(datetime(2026, 10, 4, 2, 10), howe).astimezone(howe).strftime("%H:%M") == "02:30"


def test_a_local_time_that_happens_twice_is_the_first() -> None:
    new_york = zone("America/New_York")
    assert at_local(datetime(2026, 11, 1, 1, 30), new_york) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2028, 1, 31), 1, (2028, 2, 29)),
        ((2028, 2, 29), 12, (2029, 2, 28)),
        ((2026, 11, 30), 3, (2027, 2, 28)),
        ((2026, 3, 31), -1, (2026, 2, 28)),
    ],
)
def test_the_end_of_a_short_month_stands_for_its_missing_days(
    start: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    found = add(datetime(*start, 12, tzinfo=UTC), Duration(months=months), zone("UTC"))
    assert (found.year, found.month, found.day) == end


@given(
    name=st.sampled_from(DST_ZONES),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    days=st.integers(0, 400),
)
def test_days_never_go_back_and_keep_the_wall_clock_unless_it_does_not_exist(
    name: str, start: datetime, days: int
) -> None:
    where = zone(name)
    end = add(start, Duration(days=days), where)
    assert end >= start - timedelta(hours=1)  # a time that happens twice is the first
    wanted = start.astimezone(where).replace(tzinfo=None) + timedelta(days=days)
    got = end.astimezone(where).replace(tzinfo=None)
    assert got == wanted or timedelta() < got - wanted <= timedelta(hours=1)


def test_a_lead_has_its_own_zone_else_its_country_s_only_one_else_the_workspace_s() -> None:
    assert zone_of("Asia/Tokyo", "AM", "UTC").key == "Asia/Tokyo"
    assert zone_of(None, "AM", "UTC").key == "Asia/Yerevan"
    assert zone_of(None, "US", "Europe/Paris").key == "Europe/Paris"
    assert zone_of("Mars/Base", None, "UTC").key == "UTC"


@pytest.mark.parametrize("name", ["", "Mars", "America", "../../etc/passwd", "Europe/", "a b"])
def test_an_unknown_zone_is_told(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone(name)
