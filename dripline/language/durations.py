"""Lengths of time as people write them: `2 days`, `3h`, `1 week 2 days`, `P2D`."""

from __future__ import annotations

import re

from dripline.language.plan import Duration, Limit
from dripline.language.problems import did_you_mean

_UNITS: dict[str, tuple[str, int]] = {}
for _names, _field, _factor in (
    ("year years y", "months", 12),
    ("month months mo", "months", 1),
    ("week weeks w", "days", 7),
    ("day days d", "days", 1),
    ("hour hours hr hrs h", "seconds", 3600),
    ("minute minutes min mins", "seconds", 60),
    ("second seconds sec secs s", "seconds", 1),
):
    for _name in _names.split():
        _UNITS[_name] = (_field, _factor)

_PART = re.compile(r"\s*([0-9]{1,9})\s*([^\W\d_]+)\s*")
_ISO = re.compile(
    r"P(?:(?P<y>\d{1,9})Y)?(?:(?P<mo>\d{1,9})M)?(?:(?P<w>\d{1,9})W)?(?:(?P<d>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<h>\d{1,9})H)?(?:(?P<min>\d{1,9})M)?(?:(?P<s>\d{1,9})S)?)?",
    re.ASCII,
)
_LIMIT = re.compile(r"\s*([0-9]{1,9})\s+per\s+(.+?)\s*", re.DOTALL)
_MOST = {"months": 1_200, "days": 36_525, "seconds": 36_525 * 86_400}
_EXAMPLE = "write it like `2 days`, `3h`, `1 week 2 days` or `P2D`"


class DurationError(ValueError):
    """A text that is no length of time. The message says what is wrong, `hint` what to do."""

    def __init__(self, message: str, hint: str = _EXAMPLE) -> None:
        super().__init__(message)
        self.hint = hint


def parse_duration(text: str) -> Duration:
    """The length of time that the text says, at most 100 years, or a DurationError."""
    parts = _iso(text.strip()) if text.strip()[:1] == "P" else _words(text)
    total = {"months": 0, "days": 0, "seconds": 0}
    for count, unit in parts:
        field, factor = _UNITS[unit]
        total[field] += count * factor
    if any(total[field] > most for field, most in _MOST.items()):
        raise DurationError(f"`{text}` is longer than 100 years", "write a shorter time")
    return Duration(**total)


def parse_limit(text: str) -> Limit:
    """The cap that a text like `3 per 7 days` or `1 per day` says, or a DurationError."""
    example = "write it like `3 per 7 days` or `1 per day`"
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise DurationError(f"`{text}` is no limit", example)
    length = match[2] if match[2][:1].isdigit() or match[2][:1] == "P" else f"1 {match[2]}"
    try:
        per = parse_duration(length)
    except DurationError as error:
        raise DurationError(f"`{text}` is no limit: {error}", example) from None
    if per == Duration() or int(match[1]) == 0:
        raise DurationError(f"`{text}` lets nothing through", example)
    return Limit(count=int(match[1]), per=per)


def per_hour(limit: Limit) -> float:
    """How many that is in an hour; a month is taken for 30 days."""
    length = limit.per.seconds + 86_400 * (limit.per.days + 30 * limit.per.months)
    return limit.count * 3_600 / length


def say_duration(duration: Duration) -> str:
    """A duration as a marketer would write it: `2 days`, `1 hour 30 minutes`."""
    seconds = duration.seconds
    parts = [
        (duration.months // 12, "year"),
        (duration.months % 12, "month"),
        (duration.days, "day"),
        (seconds // 3600, "hour"),
        (seconds % 3600 // 60, "minute"),
        (seconds % 60, "second"),
    ]
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(said) or "0 seconds"


def _words(text: str) -> list[tuple[int, str]]:
    parts = []
    at = 0
    while match := _PART.match(text, at):
        unit = match[2].lower()
        if unit not in _UNITS:
            raise DurationError(f"`{match[2]}` is no unit of time", _unit_hint(unit))
        parts.append((int(match[1]), unit))
        at = match.end()
    if not parts or at != len(text):
        raise DurationError(f"`{text}` is no length of time", _hint(text))
    return parts


def _iso(text: str) -> list[tuple[int, str]]:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groupdict().values()):
        raise DurationError(f"`{text}` is no length of time")
    return [(int(count), unit) for unit, count in match.groupdict().items() if count]


def _unit_hint(unit: str) -> str:
    if unit == "m":
        return "write `min` for minutes or `months` for months"
    return did_you_mean(unit, (name for name in _UNITS if len(name) > 2)) or _EXAMPLE


def _hint(text: str) -> str:
    if re.fullmatch(r"\s*\d+\s*", text):
        return f"say of what: `{text.strip()} days`?"
    if re.search(r"\d[.,]\d", text):
        return "use whole numbers: `36h`, not `1.5 days`"
    return _EXAMPLE
