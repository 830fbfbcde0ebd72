"""Working time: lengths of time that are counted only while a person works."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add, at_local
from dripline.engine.hours import closes, opens
from dripline.language.plan import Duration, Hours, Person

_STRETCHES = 5_000
"""Stretches of work that are counted before giving up."""


def zone_of_person(person: Person | None, default: str) -> ZoneInfo:
    """The zone by whose clocks the person works."""
    return ZoneInfo((person.timezone if person else None) or default)


def at_work(person: Person, at: datetime, default_zone: str) -> datetime:
    """The first instant from `at` on at which the person works: `at` itself, where they do."""
    return opens(at, zone_of_person(person, default_zone), window=person.hours)


def after_work(at: datetime, length: Duration, person: Person | None, default_zone: str) -> datetime:
    """The instant after so much working time of the person from `at` on; who has no hours works always.

    Days are working days, and end at the same time of day; months are of the calendar; what is less than a day is
    counted while the person works. Where that ends outside the hours, it is when work begins again.
    """
    where = zone_of_person(person, default_zone)
    hours = person.hours if person else ()
    if not hours:
        return add(at, length, where)
    found = opens(at, where, window=hours)
    if length.months:
        found = opens(add(found, Duration(months=length.months), where), where, window=hours)
    for _ in range(length.days):
        found = _next_day(found, where, hours)
    return _counted(found, timedelta(seconds=length.seconds), where, hours)


def _next_day(at: datetime, where: ZoneInfo, hours: tuple[Hours, ...]) -> datetime:
    """The same time of the next day on which there is work, or when that begins."""
    days = {day for one in hours for day in one.days}
    local = at.astimezone(where)
    day = local.date() + timedelta(days=1)
    while day.weekday() not in days:
        day += timedelta(days=1)
    there = at_local(datetime.combine(day, time(local.hour, local.minute, local.second)), where)
    return opens(there, where, window=hours)


def _counted(at: datetime, left: timedelta, where: ZoneInfo, hours: tuple[Hours, ...]) -> datetime:
    for _ in range(_STRETCHES):
        at = opens(at, where, window=hours)
        end = closes(at, where, hours)
        if left <= end - at:
            return at + left
        left -= end - at
        at = end
    return at
