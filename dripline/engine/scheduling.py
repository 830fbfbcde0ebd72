"""Schedules: when the calendar comes round next, on the wall clock of a zone; and whom it lets in."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dripline.engine.calendar import at_local, zone_of
from dripline.engine.scope import scope
from dripline.language.expressions import compile_expression
from dripline.language.plan import Gathering, Plan, Schedule
from dripline.language.segments import is_name

_FIRST = date(2024, 1, 1)
"""A Monday: every so many days, weeks and months are counted from it, so that all installations count alike."""
_LONGEST = 366 * 30
"""Days after which no schedule comes round any more."""

FIRST_ZONE = "Pacific/Kiritimati"
"""Where clocks are ahead of all others."""
LATE = timedelta(days=2)
"""How long after its moment an occasion still counts, after an outage (house time)."""


def said(plan: Plan, gathering: Gathering) -> str:
    """The schedule and whose clock it goes by: where it is another text, it is another schedule."""
    whose = "lead" if gathering.own_zone else plan.timezone
    return f"{gathering.schedule.said[:180]} ({whose})"


def come_round(schedule: Schedule, after: datetime, where: ZoneInfo) -> tuple[datetime, str] | None:
    """The first moment (UTC) after `after` at which it comes round in that zone, and how clocks there say it.

    A moment that does not exist is the next that does, one that happens twice is the first. None: never again.
    """
    for local in _locals(schedule, after.astimezone(where).replace(tzinfo=None)):
        at = at_local(local, where)
        if at > after:
            return at, local.isoformat(timespec="minutes")
    return None


def on_clock(occasion: str, where: ZoneInfo) -> datetime:
    """The moment (UTC) at which clocks of that zone say what the occasion is named by."""
    return at_local(datetime.fromisoformat(occasion), where)


def comes_to(
    gathering: Gathering, plan: Plan, lead: Mapping[str, Any], after: datetime
) -> tuple[datetime, str] | None:
    """The first moment after `after` at which the schedule comes round for this lead, and its name."""
    own = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    where = own if gathering.own_zone else zone_of(None, None, plan.timezone)
    return come_round(gathering.schedule, after, where)


def belongs(gathering: Gathering, plan: Plan, lead: Mapping[str, Any], at: datetime) -> bool:
    """Whether the lead is one of the audience. Raises EvaluationError."""
    if is_name(gathering.audience):
        return gathering.audience in (lead.get("segments") or ())
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    return compile_expression(gathering.audience).holds(scope(plan, lead, None, None, {}, at, where))


def _locals(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Its moments on the wall clock, from about `after` on."""
    if schedule.once is not None:
        yield datetime.fromisoformat(schedule.once)
    elif schedule.cron is not None:
        yield from CronSim(schedule.cron, after - timedelta(minutes=1))
    else:
        hour, minute = divmod(schedule.at, 60)
        for number in range(_LONGEST):
            day = after.date() + timedelta(days=number)
            if _is_day(schedule, day):
                yield datetime.combine(day, time(hour, minute))


def _is_day(schedule: Schedule, day: date) -> bool:
    if schedule.unit == "day":
        return (day - _FIRST).days % schedule.number == 0
    if schedule.unit == "week":
        return day.weekday() in schedule.weekdays and (day - _FIRST).days // 7 % schedule.number == 0
    months = (day.year - _FIRST.year) * 12 + day.month - _FIRST.month
    last = calendar.monthrange(day.year, day.month)[1]
    return months % schedule.number == 0 and day.day == min(schedule.day, last)
