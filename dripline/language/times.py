"""Times of day, weekdays, and moments of the calendar, as people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dripline.language.durations import DurationError, parse_duration
from dripline.language.expressions import ExpressionError, compile_expression
from dripline.language.kinds import read_length
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration, Hours, Otherwise
from dripline.language.problems import did_you_mean
from dripline.language.short_forms import ShortForm

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_SPAN = re.compile(rf"\s*({_TIME})\s*-\s*({_TIME}|24:00)\s*", re.ASCII)
_WINDOW = re.compile(r"\s*([a-zA-Z][a-zA-Z,\s-]*?)?\s*(\d.*)?", re.ASCII | re.DOTALL)
_DATE = r"\d{4}-\d{2}-\d{2}"
_ISO = re.compile(rf"({_DATE})(?:[T ]({_TIME}))?", re.ASCII)
_AT_END = re.compile(rf"(.+?)\s+at\s+({_TIME})", re.ASCII | re.DOTALL)
_DAY_AND_TIME = re.compile(rf"([a-zA-Z]+(?:\s*[,-]\s*[a-zA-Z]+)*)(?:\s+({_TIME}))?", re.ASCII)
_TEN_HOURS = "write it like `21:00-09:00`"


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _text(value: Any, example: str) -> str:
    if not isinstance(value, str):
        raise wrong("wrong-type", "a text stands here", f"write it like `{example}`")
    return value.strip()


def _time_of_day(value: Any) -> Any:
    if isinstance(value, int):
        return value
    text = _text(value, "09:00")
    if not re.fullmatch(_TIME, text, re.ASCII):
        raise wrong("bad-time", f"`{text}` is no time of day", "write it like `09:00`, up to `23:59`")
    return _minutes(text)


def _weekday(word: str) -> int | None:
    word = word.lower()
    return next((n for n, name in enumerate(_DAYS) if word == name or word in _short(name)), None)


def _short(name: str) -> set[str]:
    return {
        name[:3],
        *({"tues"} if name == "tuesday" else ()),
        *({"thur", "thurs"} if name == "thursday" else ()),
    }


def read_weekdays(text: str) -> tuple[int, ...]:
    """The weekdays that `mon`, `mon-fri` or `mon, wed, fri` names; a problem where there is no such day."""
    found: set[int] = set()
    for part in text.split(","):
        ends = [_weekday(word.strip()) for word in part.split("-")]
        for word, number in zip(part.split("-"), ends, strict=True):
            if number is None:
                hint = did_you_mean(word.strip().lower(), _DAYS) or "write `monday` or `mon`"
                raise wrong("bad-weekday", f"`{word.strip()}` is no day of the week", hint)
        if len(ends) > 2:
            raise wrong("bad-weekday", f"`{part.strip()}` names no days", "write it like `mon-fri`")
        first, last = ends[0] or 0, ends[-1] or 0
        found |= {number % 7 for number in range(first, (last if last >= first else last + 7) + 1)}
    return tuple(sorted(found))


def _weekdays(value: Any) -> Any:
    if isinstance(value, tuple):
        return value
    return read_weekdays(", ".join(value) if isinstance(value, list) else _text(value, "monday"))


def _span(text: str, days: tuple[int, ...], hint: str) -> Hours:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise wrong("bad-hours", f"`{text}` are no hours", hint)
    start, end = _minutes(match[1]), _minutes(match[2])
    if start == end or (start, end) == (0, 1440):
        raise wrong("bad-hours", f"`{text}` is the whole day", hint)
    return Hours(start=start, end=end, days=days)


def _quiet(value: Any) -> Any:
    if isinstance(value, Hours) or value == "none":
        return value
    return _span(_text(value, "21:00-09:00"), tuple(range(7)), _TEN_HOURS)


def _window(value: Any) -> Any:
    if value == "none" or isinstance(value, tuple):
        return value
    if isinstance(value, list):
        if not value:
            raise wrong("wrong-value", "this is empty", "write it like `mon-fri 09:00-18:00`")
        return tuple(_one_window(one) for one in value)
    return (_one_window(value),)


def _one_window(value: Any) -> Hours:
    hint = "write it like `mon-fri 09:00-18:00`"
    text = _text(value, "mon-fri 09:00-18:00")
    match = _WINDOW.fullmatch(text)
    if match is None or not text:
        raise wrong("bad-hours", f"`{text}` is no window", hint)
    days = read_weekdays(match[1]) if match[1] else tuple(range(7))
    return _span(match[2], days, hint) if match[2] else Hours(start=0, end=1440, days=days)


def _on_limit(value: Any) -> Any:
    if value == "skip" or isinstance(value, Duration):
        return value
    text = _text(value, "wait 2 days")
    if not text.startswith("wait "):
        raise wrong("wrong-value", f"`{text}` is nothing to do at a limit", "write `skip` or `wait 2 days`")
    return read_length(text.removeprefix("wait "))


def _percent(value: Any) -> Any:
    if isinstance(value, float):
        return value
    text = _text(value, "10%")
    match = re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)\s*%", text, re.ASCII)
    if match is None or float(match[1]) == 0:
        raise wrong("bad-percent", f"`{text}` is no part of the leads", "write it like `10%`, below 100%")
    return float(match[1])


def _offset(value: Any) -> Any:
    if isinstance(value, Duration):
        return value
    text = _text(value, "-7 days")
    sign = -1 if text.startswith("-") else 1
    try:
        length = parse_duration(text.lstrip("+-").strip())
    except DurationError as error:
        raise wrong("bad-duration", str(error), "write it like `-7 days` or `2 hours`") from None
    return Duration(months=sign * length.months, days=sign * length.days, seconds=sign * length.seconds)


def _otherwise(value: Any) -> Any:
    if isinstance(value, Otherwise):
        return value
    if value in ("continue", "exit"):
        return Otherwise(do=value)
    to = value.get("skip") if isinstance(value, dict) and set(value) == {"skip"} else None
    if isinstance(value, str) and value.startswith("skip:"):
        to = value.removeprefix("skip:").strip()
    if not isinstance(to, str) or not to:
        raise wrong(
            "wrong-value",
            "this says nothing that can be done",
            "write `continue`, `exit` or `{skip: STEP-ID}`",
        )
    return Otherwise(do="skip", to=to)


def _date(value: str) -> str:
    if re.fullmatch(_DATE, value, re.ASCII):
        try:
            date.fromisoformat(value)
        except ValueError:
            raise wrong("bad-date", f"there is no day `{value}`", "look at the calendar") from None
    elif value != "holiday":
        try:
            compile_expression(value)
        except ExpressionError as error:
            raise wrong("bad-expression", str(error), error.hint, offset=error.offset) from None
    return value


def is_day(text: str) -> bool:
    """Whether a date is written as such, not as an expression."""
    return re.fullmatch(_DATE, text, re.ASCII) is not None


def _written_out(value: Any) -> Any:
    """The long form of a moment that is written in a few words."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.fullmatch(r"\d{1,2}:\d{2}", text, re.ASCII):
        return {"at": text}
    if match := _ISO.fullmatch(text):
        return {"date": match[1], **({"at": match[2]} if match[2] else {})}
    if match := _DAY_AND_TIME.fullmatch(text):
        at = {"at": match[2]} if match[2] else {}
        if match[1] == "holiday":
            return {"date": "holiday", **at}
        if match[2] or _weekday(re.split(r"[\s,-]", match[1])[0]) is not None:
            return {"weekday": match[1], **at}
    if match := _AT_END.fullmatch(text):
        return {"date": match[1], "at": match[2]}
    return {"date": text}


_AS_TEXT = WithJsonSchema({"type": "string"})
TimeOfDay = Annotated[int, BeforeValidator(_time_of_day), _AS_TEXT]
"""`09:00`, as minutes after midnight."""
Weekdays = Annotated[
    tuple[int, ...],
    BeforeValidator(_weekdays),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""`monday`, `mon-fri`, `[mon, wed]`."""
QuietHours = Annotated[Literal["none"] | Hours, BeforeValidator(_quiet), _AS_TEXT]
"""`21:00-09:00`, or `none`."""
Window = Annotated[
    Literal["none"] | tuple[Hours, ...],
    BeforeValidator(_window),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""`mon-fri 09:00-18:00`, or a list of such, or `none`."""
OnLimit = Annotated[Literal["skip"] | Duration, BeforeValidator(_on_limit), _AS_TEXT]
"""`skip`, or `wait 2 days`."""
Percent = Annotated[float, BeforeValidator(_percent), _AS_TEXT]
"""`10%`."""
Offset = Annotated[Duration, BeforeValidator(_offset), _AS_TEXT]
"""`-7 days`."""
Date = Annotated[str, AfterValidator(_date)]
"""An expression for a date, a date itself, or `holiday`."""
Else = Annotated[
    Otherwise,
    BeforeValidator(_otherwise),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]
"""`continue`, `exit` or `{skip: STEP-ID}`."""


class MomentArguments(Written):
    """Which moment of the calendar, in the lead's zone."""

    date: Date | None = Field(
        None, description="A date, like `lead.trial_ends_at`, `2026-12-24`, or `holiday`."
    )
    offset: Offset | None = Field(None, description="So long after the date, or before it: `-7 days`.")
    at: TimeOfDay | None = Field(None, description="The time of day, like `09:00`.")
    weekday: Weekdays | None = Field(
        None, description="The first such day from then on, like `monday` or `mon-fri`."
    )

    @model_validator(mode="after")
    def _some_moment(self) -> MomentArguments:
        if self.date is None and self.at is None and self.weekday is None:
            raise wrong("missing-key", "this says no moment", "write it like `monday 09:00`")
        if self.offset is not None and self.date is None:
            raise wrong("wrong-value", "an `offset` needs a `date`", "add `date: …`", key="offset")
        return self

    @property
    def expression(self) -> str | None:
        """The date where it is an expression."""
        known = self.date is None or self.date == "holiday" or is_day(self.date)
        return None if known else self.date


class DelayUntilArguments(MomentArguments):
    """Which moment of the calendar, and what to do where there is none."""

    if_missing: Else | None = Field(
        None, description="Where the date is missing: `continue`, `exit`, or `{skip: STEP-ID}`."
    )
    if_past: Else | None = Field(
        None, description="Where the moment is past: `continue`, `exit`, or `{skip: STEP-ID}`."
    )


Until = Annotated[MomentArguments, ShortForm(_written_out, "date")]
DelayUntil = Annotated[DelayUntilArguments, ShortForm(_written_out, "date")]
