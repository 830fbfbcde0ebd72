"""Which days a report is about: whole days of the workspace's zone, the first and the last of them included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, true

from dripline.language.durations import DurationError, parse_duration

BEGINNING = "beginning"
USUAL = "90 days"
"""The days of a report that nothing is said of."""


class PeriodError(ValueError):
    """Days that cannot be read; the message says why, and how to say them."""


@dataclass(frozen=True)
class Period:
    """From the first day (None: from the beginning) to the last one."""

    first: date | None
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime | None:
        """The first moment of it."""
        return None if self.first is None else datetime.combine(self.first, time(), self.zone)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer of it."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """That a column's time is within it."""
        since = true() if self.start is None else column >= self.start
        return since & (column < self.end)


def read_period(since: str | None, until: str | None, now: datetime, zone: ZoneInfo) -> Period:
    """The period that is meant: a date or a length like `30 days` or `beginning`, and a date. Raises PeriodError.

    Without `since`, the 90 days up to the last; without `until`, up to today.
    """
    today = now.astimezone(zone).date()
    last = today if until is None else _date(until, "until")
    said = since or USUAL
    if said == BEGINNING:
        return Period(None, last, zone)
    first = _date(said, "since") if said[4:5] == "-" else _length(said, last)
    if first > last:
        raise PeriodError(f"since: {first} is after {last}, the last day.")
    return Period(first, last, zone)


def _date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PeriodError(f"{name}: `{text}` is no day; write it like 2026-03-31.") from None


def _length(text: str, last: date) -> date:
    try:
        length = parse_duration(text)
    except DurationError:
        raise PeriodError(
            f"since: `{text}` is neither a day nor a length; write 2026-03-31, 30 days or {BEGINNING}."
        ) from None
    days = length.months * 30 + length.days + round(length.seconds / 86_400)
    try:
        return last - timedelta(days=max(days, 1) - 1)
    except OverflowError:
        raise PeriodError(f"since: `{text}` is too long; write {BEGINNING} for everything.") from None
