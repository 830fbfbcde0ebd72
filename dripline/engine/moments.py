"""Moments of the calendar: the next monday at 09:00, a week before a date, the next holiday of a country."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from dripline.engine.calendar import add, zone
from dripline.engine.hours import clock_time
from dripline.language.expressions import EvaluationError
from dripline.language.plan import Duration, Moment

NINE = 9 * 60
"""When a day begins for us, where no time is said: nobody wants to be written to at midnight."""


def next_such(moment: Moment, after: datetime, where: ZoneInfo, country: str | None) -> datetime | None:
    """The first such moment later than `after`, of one that comes again and again; None if there is none known."""
    today = after.astimezone(where).date()
    days = _holidays(country, today.year) if moment.holiday else _days_from(today - timedelta(days=1))
    found = (_on(_shifted(day, moment.offset), moment, where) for day in days)
    return min((at for at in found if at is not None and at > after), default=None)


def of_date(moment: Moment, value: Any, where: ZoneInfo) -> datetime:
    """The moment that belongs to a date (or a time). EvaluationError where the value is neither."""
    if isinstance(value, str):
        value = _read(value)
    try:
        if isinstance(value, datetime):
            return _of_time(moment, value if value.tzinfo else value.replace(tzinfo=UTC), where)
        if isinstance(value, date):
            day = _first_weekday(_shifted(value, moment.offset), moment.weekdays)
            seconds = moment.offset.seconds if moment.offset else 0
            at = clock_time(day, NINE if moment.at is None else moment.at, where)
            return at + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise EvaluationError("date-out-of-range") from None
    raise EvaluationError("not-a-date")


def _of_time(moment: Moment, value: datetime, where: ZoneInfo) -> datetime:
    at = add(value, moment.offset, where) if moment.offset else value.astimezone(UTC)
    if moment.at is None and not moment.weekdays:
        return at
    local = at.astimezone(where)
    minutes = local.hour * 60 + local.minute if moment.at is None else moment.at
    return clock_time(_first_weekday(local.date(), moment.weekdays), minutes, where)


def _on(day: date, moment: Moment, where: ZoneInfo) -> datetime | None:
    if moment.holiday:
        day = _first_weekday(day, moment.weekdays)
    elif moment.weekdays and day.weekday() not in moment.weekdays:
        return None
    at = clock_time(day, NINE if moment.at is None else moment.at, where)
    return at + timedelta(seconds=moment.offset.seconds if moment.offset else 0)


def _shifted(day: date, offset: Duration | None) -> date:
    """So many months and days later, in the calendar: a day that a month lacks is its last one."""
    if offset is None:
        return day
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return add(noon, Duration(months=offset.months, days=offset.days), zone("UTC")).date()


def _first_weekday(day: date, weekdays: tuple[int, ...]) -> date:
    while weekdays and day.weekday() not in weekdays:
        day += timedelta(days=1)
    return day


def _days_from(day: date) -> Iterator[date]:
    return (day + timedelta(days=number) for number in range(17))


def _holidays(country: str | None, year: int) -> list[date]:
    """The public holidays around that year, three years of them."""
    return [day for one in range(year - 1, year + 2) for day in _of_year((country or "").upper(), one)]


@cache
def _of_year(country: str, year: int) -> tuple[date, ...]:
    try:
        return tuple(sorted(holidays.country_holidays(country, years=year)))
    except NotImplementedError:  # no such country, or one that nobody has written down
        return ()


def _read(text: str) -> date | datetime | None:
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return None
