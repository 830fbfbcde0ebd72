"""The types of events' properties and leads' attributes, and how a value from outside is made one of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal

from dripline.language.problems import did_you_mean

FieldType = Literal["text", "integer", "number", "boolean", "date", "datetime", "list", "any"]
Times = dict[str, Literal["date", "datetime"]]
"""Which fields are times, and of which kind."""

_MAX_TEXT = 10_000
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class FieldErrors(Exception):
    """Fields that are not what the workspace declares: `errors` has each with what is wrong with it."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__(", ".join(name for name, _ in errors))
        self.errors = errors


def times_of(types: Mapping[str, FieldType]) -> Times:
    """Those of the declared fields that are times."""
    return {name: kind for name, kind in sorted(types.items()) if kind == "date" or kind == "datetime"}


def coerce(values: Mapping[str, Any], types: Mapping[str, FieldType], zone: tzinfo) -> dict[str, Any]:
    """The values as JSON of the declared types, or FieldErrors with all that is wrong.

    Times become ISO 8601 in UTC; one without an offset is of `zone`. None stays None.
    """
    errors: list[tuple[str, str]] = []
    coerced: dict[str, Any] = {}
    for name, value in values.items():
        if name not in types:
            hint = did_you_mean(name, types)
            errors.append((name, f"is not declared{', ' + hint if hint else ''}"))
            continue
        try:
            coerced[name] = None if value is None else coerce_value(value, types[name], zone)
        except ValueError as error:
            errors.append((name, str(error)))
    if errors:
        raise FieldErrors(errors)
    return coerced


def coerce_value(value: Any, kind: FieldType, zone: tzinfo) -> Any:
    """One value as JSON of that type, or a ValueError that says what it must be (and not what it is)."""
    if kind == "datetime":
        return _datetime(value, zone)
    return _COERCE[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"must be a text of at most {_MAX_TEXT} characters")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**15:
        raise ValueError("must be a whole number")
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("must be a number")
    if abs(value) > 1e15:
        raise ValueError("must be a number below 10^15")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower())
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _date(value: Any) -> str:
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise ValueError("must be a date like 2026-03-02")


def _datetime(value: Any, zone: tzinfo) -> str:
    if isinstance(value, str) and len(value.strip()) > len("2026-03-02"):
        try:
            moment = datetime.fromisoformat(value.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            return moment.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time like 2026-03-02T10:00:00+04:00")


def _list(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if len(items) > 1_000 or any(isinstance(item, (dict, list, bool)) or item is None for item in items):
        raise ValueError("must be a list of at most 1000 texts")
    return [_text(item) for item in items]


def _any(value: Any) -> Any:
    return value


_COERCE: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "list": _list,
    "any": _any,
}
