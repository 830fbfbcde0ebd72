"""The filters (`lead.plan | lower`) and tests (`lead.email is endswith(".am")`) that there are: no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dripline.language.values import Empty, EvaluationError, or_empty

_MAX_DIGITS = 30


def default(value: Any, instead: Any) -> Any:
    """The value, or `instead` where it is Empty or a text without a letter."""
    return instead if value is Empty or (isinstance(value, str) and not value.strip()) else value


def lower(value: str) -> str:
    """The text in small letters."""
    return _text(value).lower()


def upper(value: str) -> str:
    """The text in capital letters."""
    return _text(value).upper()


def trim(value: str) -> str:
    """The text without spaces before and after it."""
    return _text(value).strip()


def length(value: Any) -> int:
    """How many letters a text has, how many items a list."""
    if not isinstance(value, (str, list, tuple, Mapping)):
        raise EvaluationError("no-length")
    return len(value)


def first(value: Any) -> Any:
    """The first item of a list, the first letter of a text."""
    return _end(value, 0)


def last(value: Any) -> Any:
    """The last item of a list, the last letter of a text."""
    return _end(value, -1)


def rounded(value: float, digits: int = 0) -> float:
    """The number rounded, halves away from zero, to so many digits (0 to 9) behind the point."""
    if not _number(value) or not isinstance(digits, int) or not 0 <= digits <= 9 or abs(value) > 1e15:
        raise EvaluationError("cannot-round")
    result = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return float(result) if digits else int(result)


def whole(value: Any) -> Any:
    """The whole number in a text or a number; Empty where there is none."""
    number = decimal(value)
    return Empty if number is Empty else int(number)


def decimal(value: Any) -> Any:
    """The number in a text; Empty where there is none."""
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        try:
            value = float(value)
        except ValueError:
            return Empty
    return float(value) if _number(value) and abs(value) <= 1e15 else Empty


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EvaluationError("not-a-text")
    return value


def _end(value: Any, place: int) -> Any:
    if not isinstance(value, (str, list, tuple)):
        raise EvaluationError("no-length")
    return or_empty(value[place]) if value else Empty


def _empty_stays(filter_: Callable[..., Any]) -> Callable[..., Any]:
    def over(value: Any, *arguments: Any) -> Any:
        if value is Empty or any(argument is Empty for argument in arguments):
            return Empty
        return filter_(value, *arguments)

    return over


FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": default,
    "lower": _empty_stays(lower),
    "upper": _empty_stays(upper),
    "trim": _empty_stays(trim),
    "length": _empty_stays(length),
    "first": _empty_stays(first),
    "last": _empty_stays(last),
    "round": _empty_stays(rounded),
    "int": _empty_stays(whole),
    "float": _empty_stays(decimal),
}
"""By name. With Empty every one but `default` gives Empty."""


def is_empty(value: Any) -> bool:
    """Whether the value is lacking."""
    return value is Empty


def is_defined(value: Any) -> bool:
    """Whether the value is there."""
    return value is not Empty


def startswith(value: Any, beginning: Any) -> bool:
    """Whether the text begins so; false with Empty."""
    return isinstance(value, str) and isinstance(beginning, str) and value.startswith(beginning)


def endswith(value: Any, end: Any) -> bool:
    """Whether the text ends so; false with Empty."""
    return isinstance(value, str) and isinstance(end, str) and value.endswith(end)


TESTS: Mapping[str, Callable[..., bool]] = {
    "empty": is_empty,
    "defined": is_defined,
    "startswith": startswith,
    "endswith": endswith,
}
"""By name."""
ARGUMENTS: Mapping[str, tuple[int, int]] = {
    "default": (1, 1),
    "round": (0, 1),
    "startswith": (1, 1),
    "endswith": (1, 1),
}
"""How many arguments, at least and at most; none where a name is not here."""
