"""A date of a lead that comes round each year: when that is, in the lead's own zone."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add_months, at_local
from dripline.language.plan import Duration, Yearly

_MARGIN = timedelta(days=4)
"""How far the days of two zones, and of months of different lengths, may lie apart."""


def moment(yearly: Yearly, value: str, year: int, where: ZoneInfo) -> datetime | None:
    """The instant (UTC) at which the date comes round in that year, the offset counted.

    29 February is 28 February in other years. None before the date itself, and where the value is no date.
    """
    try:
        first = _first(yearly, value, where)
        if year < first.year:
            return None
        day = min(first.day, calendar.monthrange(year, first.month)[1])
        shifted = _shift(datetime(year, first.month, day), yearly.offset)  # noqa: DTZ001  (on the wall clock)
    except (ValueError, OverflowError):
        return None
    hour, minute = yearly.at.split(":")
    return at_local(datetime.combine(shifted.date(), time(int(hour), int(minute))), where)


def days_between(yearly: Yearly, since: datetime, until: datetime) -> frozenset[str] | None:
    """The dates (`05-17`) that can come round from `since` to `until`, and some more; None: any."""
    back = Duration(months=-yearly.offset.months, days=-yearly.offset.days)
    begin = (_shift(since.replace(tzinfo=None), back) - _MARGIN).date()
    end = (_shift(until.replace(tzinfo=None), back) + _MARGIN).date()
    if (end - begin).days > 360:
        return None
    days = {_named(begin + timedelta(days=number)) for number in range((end - begin).days + 1)}
    return frozenset(days | {"02-29"} if days & {"02-28", "03-01"} else days)


def _named(day: date) -> str:
    return day.isoformat()[5:]


def _first(yearly: Yearly, value: str, where: ZoneInfo) -> date:
    if yearly.kind == "date":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(where).date()


def _shift(local: datetime, offset: Duration) -> datetime:
    return add_months(local, offset.months) + timedelta(days=offset.days)
