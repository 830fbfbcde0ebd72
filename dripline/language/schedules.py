"""Schedules as people write them: `every monday at 09:00`, `once 2026-12-24 10:00`, or a line of cron."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, WithJsonSchema

from dripline.language.load import wrong
from dripline.language.plan import Schedule
from dripline.language.problems import did_you_mean
from dripline.language.times import read_weekdays

SELDOM = timedelta(minutes=15)
"""An audience is looked through each time: not more often than this."""
_HINT = "write it like `every day at 09:00`, `every 2 weeks on monday`, `once 2026-12-24 10:00`, or a line of cron"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_AT_END = re.compile(rf"(.+?)\s+at\s+({_TIME})", re.DOTALL)
_ONCE = re.compile(rf"once\s+(?:on\s+)?(\d{{4}}-\d{{2}}-\d{{2}})(?:(?:\s+(?:at\s+)?|T)({_TIME}))?")
_EVERY = re.compile(r"every\s+(?:(\d{1,3})\s+)?([a-z]+)(?:\s+on\s+(.+))?", re.DOTALL)
_MONTH_DAY = re.compile(r"(?:the\s+)?(?:day\s+)?(\d{1,2})(?:st|nd|rd|th)?(?:\s+day)?")
_CRON = re.compile(r"[0-9*][^\s]*(?:\s+[^\s]+){4}")
_UNITS = {"hour": "hour", "day": "day", "week": "week", "month": "month"}
_SAMPLE = 200
"""Moments of a line of cron that are looked at for how far apart they are."""


def parse_schedule(value: Any) -> Any:
    """When the calendar comes round, by the words or the cron line that say it."""
    if isinstance(value, Schedule):
        return value
    if not isinstance(value, str):
        raise wrong("wrong-type", "a schedule stands here as a text", _HINT)
    said = " ".join(value.split())
    if _CRON.fullmatch(said):
        return Schedule(said=said, cron=_cron(said))
    text = said.lower()
    if text.startswith("once"):
        return _once(said, text)
    if text == "daily" or text.startswith("daily "):
        text = text.replace("daily", "every day", 1)
    at, match = "09:00", _AT_END.fullmatch(text)
    if match is not None:
        text, at = match[1], match[2]
    return _every(said, text, _minutes(at), timed=match is not None)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _once(said: str, text: str) -> Schedule:
    match = _ONCE.fullmatch(text)
    if match is None:
        raise wrong("bad-schedule", f"`{said}` says no moment", "write it like `once 2026-12-24 10:00`")
    at = _minutes(match[2] or "09:00")
    try:
        day = datetime.fromisoformat(match[1])
    except ValueError:
        raise wrong("bad-schedule", f"there is no day `{match[1]}`", "look at the calendar") from None
    return Schedule(said=said, once=(day + timedelta(minutes=at)).isoformat(timespec="minutes"))


def _every(said: str, text: str, at: int, *, timed: bool) -> Schedule:
    match = _EVERY.fullmatch(text)
    unit = _UNITS.get(match[2].removesuffix("s")) if match else None
    if match is None or unit is None:
        return _on_days(said, text, at)
    number, on = int(match[1] or 1), match[3]
    if unit == "hour":
        return _hourly(said, number, timed or on is not None)
    if number == 0 or (unit == "day" and on is not None):
        raise wrong("bad-schedule", f"`{said}` is no schedule", _HINT)
    if unit == "day":
        return Schedule(said=said, unit="day", number=number, at=at)
    if unit == "week":
        return Schedule(said=said, unit="week", number=number, at=at, weekdays=_days(on or "monday"))
    return Schedule(said=said, unit="month", number=number, at=at, day=_day_of_month(said, on or "1"))


def _hourly(said: str, number: int, placed: bool) -> Schedule:
    if placed or number == 0 or 24 % number:
        hint = "write `every hour`, or every 2, 3, 4, 6, 8 or 12 hours, or a line of cron"
        raise wrong("bad-schedule", f"`{said}` does not come out even with the day", hint)
    return Schedule(said=said, cron=f"0 */{number} * * *" if number > 1 else "0 * * * *")


def _on_days(said: str, text: str, at: int) -> Schedule:
    """`every monday`, `every mon-fri`, `every monday and thursday`, `every weekday`."""
    days = text.removeprefix("every").strip()
    if not text.startswith("every ") or not days:
        hint = did_you_mean(text.split()[0] if text else "", ("every", "once", "daily")) or _HINT
        raise wrong("bad-schedule", f"`{said}` is no schedule", hint)
    return Schedule(said=said, unit="week", number=1, at=at, weekdays=_days(days))


def _days(text: str) -> tuple[int, ...]:
    if text in ("weekday", "weekdays"):
        return (0, 1, 2, 3, 4)
    if text in ("weekend", "weekends"):
        return (5, 6)
    return read_weekdays(re.sub(r"\s+and\s+", ", ", text))


def _day_of_month(said: str, text: str) -> int:
    if text in ("the last day", "last day", "the last"):
        return 31
    match = _MONTH_DAY.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 31:
        hint = "write it like `every month on the 15th`, or `… on the last day`"
        raise wrong("bad-schedule", f"`{said}` names no day of the month", hint)
    return int(match[1])


def _cron(said: str) -> str:
    begin = datetime(2024, 1, 1)  # noqa: DTZ001 - on the wall clock, of any zone
    try:
        moments = list(islice(CronSim(said, begin), _SAMPLE))
    except CronSimError as error:
        hint = "its five fields are minute, hour, day, month and weekday: `0 9 * * 1`"
        raise wrong("bad-schedule", f"`{said}` is no line of cron: {str(error).lower()}", hint) from None
    if not moments:
        raise wrong("bad-schedule", f"`{said}` never comes round", "look at its days and months")
    if any(two - one < SELDOM for one, two in pairwise(moments)):
        hint = "let it come at most every 15 minutes; what must be quicker, an event starts"
        raise wrong("bad-schedule", f"`{said}` comes round too often", hint)
    return said


Timetable = Annotated[
    Schedule, BeforeValidator(parse_schedule), WithJsonSchema({"type": "string", "minLength": 1})
]
"""`every monday at 09:00`."""
