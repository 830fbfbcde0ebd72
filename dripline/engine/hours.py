"""Hours in which messages may go: quiet hours and windows, by the clocks of the lead's zone.

They are stretches of time between two moments, so clock changes need no rule of their own: a beginning or an end
that does not exist is the next moment that does, one that happens twice is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dripline.engine.calendar import at_local
from dripline.language.plan import Hours

_PATIENCE = 60
"""Stretches that are looked at before giving up: `check` refuses hours that never open."""


def opens(
    at: datetime, where: ZoneInfo, quiet: Hours | None = None, window: tuple[Hours, ...] = ()
) -> datetime:
    """The first instant (UTC) from `at` on that is within the window and outside the quiet hours."""
    found = at
    for _ in range(_PATIENCE):
        later = _within(found, where, window) if window else found
        later = _after(later, where, quiet) if quiet else later
        if later == found:
            return found
        found = later
    return at


def closes(at: datetime, where: ZoneInfo, window: tuple[Hours, ...]) -> datetime:
    """The end (UTC) of the stretch of those hours that `at` is within; `at` itself outside them."""
    stretches = (stretch for hours in window for stretch in _stretches(at, where, hours))
    return max((end for start, end in stretches if start <= at < end), default=at)


def _within(at: datetime, where: ZoneInfo, window: tuple[Hours, ...]) -> datetime:
    stretches = [stretch for hours in window for stretch in _stretches(at, where, hours)]
    if any(start <= at < end for start, end in stretches):
        return at
    return min((start for start, end in stretches if at < start < end), default=at)


def _after(at: datetime, where: ZoneInfo, quiet: Hours) -> datetime:
    return next((end for start, end in _stretches(at, where, quiet) if start <= at < end), at)


def _stretches(at: datetime, where: ZoneInfo, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of those hours from the day before `at` to ten days after it, in order."""
    today = at.astimezone(where).date()
    for number in range(-1, 11):
        day = today + timedelta(days=number)
        if day.weekday() in hours.days:
            end = day if hours.end > hours.start else day + timedelta(days=1)
            yield clock_time(day, hours.start, where), clock_time(end, hours.end, where)


def on_the_wall(due: datetime, now: datetime, pace: float) -> datetime:
    """What a clock on the wall shows `now` to whoever has something to do that was `due`; never before `due`.

    Where days are short (`pace` house seconds pass in a second), what we are late counts in real seconds:
    else the tenth of a second that a turn takes would be a night, and every promise of an hour be broken.
    """
    return due + max(now - due, timedelta()) / pace


def clock_time(day: date, minutes: int, where: ZoneInfo) -> datetime:
    """The instant (UTC) at which it is so many minutes after midnight on that day in that zone."""
    return at_local(datetime.combine(day, time()) + timedelta(minutes=minutes), where)
