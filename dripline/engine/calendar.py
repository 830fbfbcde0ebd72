"""Calendar time: adding durations in a zone, with clock changes and short months.

Rules: a day keeps the wall clock (09:00 stays 09:00 when the clocks change); a local time that does not exist is
the next moment that does; one that happens twice is the first; the 31st of a short month is its last day.
Zones come from the `tzdata` package alone, so that one known version decides on every machine.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from dripline.language.plan import Duration


class UnknownZone(ValueError):
    """No such zone in the tz database."""


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; UnknownZone if there is none."""
    package, _, leaf = f"tzdata.zoneinfo.{name.replace('/', '.')}".rpartition(".")
    if not all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in name.split("/")):
        raise UnknownZone(name)
    try:
        with resources.files(package).joinpath(leaf).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (FileNotFoundError, ModuleNotFoundError, IsADirectoryError, ValueError):
        raise UnknownZone(name) from None


@cache
def _only_zones() -> Mapping[str, str]:
    """Countries (ISO 3166-1 alpha-2) that have just one zone, by tz's own table."""
    found: dict[str, list[str]] = {}
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, name = line.split("\t")[:3]
            found.setdefault(country, []).append(name)
    return {country: names[0] for country, names in found.items() if len(names) == 1}


def zone_of(timezone: str | None, country: str | None, fallback: str) -> ZoneInfo:
    """A lead's zone: its own, else its country's (when that has just one), else the fallback."""
    for name in (timezone, _only_zones().get((country or "").upper())):
        if name:
            try:
                return zone(name)
            except UnknownZone:
                continue
    return zone(fallback)


def add(instant: datetime, duration: Duration, where: ZoneInfo) -> datetime:
    """`instant` plus a duration: months and days on the wall clock of `where`, then seconds exactly. In UTC."""
    if duration.months or duration.days:
        local = add_months(instant.astimezone(where).replace(tzinfo=None), duration.months)
        instant = at_local(local + timedelta(days=duration.days), where)
    return instant.astimezone(UTC) + timedelta(seconds=duration.seconds)


def valid_until(since: datetime, valid: Duration, where: ZoneInfo) -> tuple[date, datetime]:
    """The last day in `where` on which something is valid that was given at `since`, and that day's end (UTC)."""
    last_day = add(since, valid, where).astimezone(where).date()
    return last_day, at_local(datetime.combine(last_day + timedelta(days=1), time()), where)


def at_local(local: datetime, where: ZoneInfo) -> datetime:
    """The first instant (UTC) at which clocks in `where` show `local` (naive), or the next one that exists."""
    before = local.replace(tzinfo=where, fold=0).utcoffset() or timedelta()
    after = local.replace(tzinfo=where, fold=1).utcoffset() or timedelta()
    instant = (local - before).replace(tzinfo=UTC)
    if before >= after:  # an ordinary time, or one that happens twice: fold 0 is the first
        return instant
    low, high = (local - after).replace(tzinfo=UTC), instant  # the clocks jump somewhere between these
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if (middle.astimezone(where).utcoffset() or timedelta()) == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def add_months(local: datetime, months: int) -> datetime:
    """The same day of the month (or its last) so many months later, on the wall clock."""
    if not months:
        return local
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)
