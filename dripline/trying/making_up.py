"""Made-up values: of the declared types, plain to see as made up, and such that a condition holds if any of them do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, product
from typing import Any
from zoneinfo import ZoneInfo

from dripline.language.expressions import EvaluationError, compile_expression, constants
from dripline.language.fields import FieldType, coerce_value

MOST = 5_000
"""Combinations of values that are tried for one condition."""
_LATER = 7
"""Days from now of a made-up date."""
_HOUR = 10
_DAYS = (1, -1, 30, -30, 400, -400)
"""Days from now of the dates that are tried besides."""


@dataclass(frozen=True)
class Making:
    """What values are made up from."""

    now: datetime
    """House time."""
    zone: ZoneInfo
    """The lead's."""
    email: str
    currency: str | None = None
    topic: str | None = None

    def value(self, name: str, kind: FieldType) -> Any:
        """A value of that type, as JSON, for a field of that name."""
        match kind:
            case "integer":
                return 5
            case "number":
                return 100
            case "boolean":
                return True
            case "date":
                return self._day(_LATER).isoformat()
            case "datetime":
                return self._time(_LATER)
            case "list":
                return [self._text(name)]
            case "text" | "any":
                return self._text(name)

    def _text(self, name: str) -> str:
        lower = name.lower()
        if lower == "first_name":
            return first_name(self.email)
        known = {"currency": self.currency or "EUR", "channel": "email", "topic": self.topic}
        if known.get(lower):
            return str(known[lower])
        if lower.endswith(("url", "link")):
            return "https://example.com/"
        if lower.endswith("email"):
            return self.email
        return f"some {lower.replace('_', ' ')}"

    def _day(self, days: int) -> date:
        return (self.now.astimezone(self.zone) + timedelta(days=days)).date()

    def _time(self, days: int) -> str:
        local = datetime.combine(self._day(days), datetime.min.time()).replace(hour=_HOUR)
        text: str = coerce_value(local.isoformat(), "datetime", self.zone)
        return text

    def candidates(self, first: Any, kind: FieldType, said: Iterable[Any]) -> list[Any]:
        """`first`, and what else a field of that type might be where a condition says `said`. None: it is not there."""
        found: list[Any] = []
        for value in (first, *self._near(kind, said)):
            if value is not None and value not in found:
                found.append(value)
        return [None, *found] if first is None else [*found, None]

    def _near(self, kind: FieldType, said: Iterable[Any]) -> list[Any]:
        read = [value for value in (_read(one, kind, self.zone) for one in said) if value is not None]
        match kind:
            case "integer" | "number":
                numbers = (*read, 0, *(-number for number in read))  # -1 is 1 with a sign
                return [number + step for number in numbers for step in (0, 1, -1)]
            case "boolean":
                return [True, False]
            case "date":
                return [*read, *(self._day(days).isoformat() for days in _DAYS)]
            case "datetime":
                return [*read, *(self._time(days) for days in _DAYS)]
            case "list":
                return [[item for one in read for item in one], *read, []]
            case "text" | "any":
                return read


def first_name(address: str) -> str:
    """What somebody with that address may be called."""
    word = re.split(r"[\W\d_]+", address.partition("@")[0].lstrip("0123456789._+-"))[0]
    return word.capitalize() or "Anna"


def fill(
    condition: str | None,
    choices: Mapping[str, Sequence[Any]],
    fits: Callable[[Mapping[str, Any]], bool],
) -> dict[str, Any] | None:
    """By path (`event.seats`) its first value, or others for which it fits; None where none are found.

    Only what the condition reads is varied; the later a path stands in `choices`, the sooner. None: not there.
    """
    base = {path: options[0] for path, options in choices.items()}
    if holds(fits, base):
        return base
    names = compile_expression(condition).names if condition else frozenset()
    varied = [path for path in choices if any(_reads(name, path) for name in names)]
    for values in islice(product(*(choices[path] for path in varied)), MOST):
        tried = {**base, **dict(zip(varied, values, strict=True))}
        if holds(fits, tried):
            return tried
    return None


def holds(fits: Callable[[Mapping[str, Any]], bool], values: Mapping[str, Any]) -> bool:
    """Whether it fits; what cannot be evaluated does not."""
    try:
        return fits(values)
    except EvaluationError:
        return False


def said_in(condition: str | None, scope: Mapping[str, Any]) -> list[Any]:
    """The values that a condition compares with: those that stand in it, its names' own in that scope, and of lists
    their items."""
    if condition is None:
        return []
    said = [
        *constants(condition),
        *(_at(scope, name) for name in sorted(compile_expression(condition).names)),
    ]
    return [*said, *(item for one in said if isinstance(one, list | tuple) for item in one)]


def _reads(name: str, path: str) -> bool:
    """`lead.consent` and `lead.consent.email.x` both read of `lead.consent.email`."""
    return name == path or name.startswith(f"{path}.") or path.startswith(f"{name}.")


def _at(scope: Any, name: str) -> Any:
    for part in name.split("."):
        scope = scope.get(part) if isinstance(scope, Mapping) else None
    return scope


def _read(value: Any, kind: FieldType, zone: ZoneInfo) -> Any:
    if isinstance(value, date):
        value = value.isoformat()
    try:
        return None if value is None else coerce_value(value, kind, zone)
    except ValueError:
        return None


__all__ = ["Making", "fill", "first_name", "holds", "said_in"]
