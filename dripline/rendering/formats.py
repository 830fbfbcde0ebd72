"""Dates, numbers and money as the reader's language writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, is_currency
from jinja2 import pass_context
from jinja2.runtime import Context

from dripline.language.sandbox import plain_text
from dripline.language.values import Empty, EvaluationError

READER = "_reader"
"""The name under which a rendering keeps whom it is for."""

# Unicode's rules for currencies want a space between letters and digits (UTS 35, currencySpacing); Babel has none.
_LETTER_AT_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_LENGTHS = ("short", "medium", "long", "full")
Width = Literal["short", "medium", "long", "full"]


@dataclass(frozen=True)
class Reader:
    """How whoever reads the message writes dates and numbers."""

    locale: Locale
    zone: tzinfo
    currency: str | None


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale | None:
    """The locale of a language tag like `hy-AM`, as far as it is known; None for none."""
    parts = tag.replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return None


@pass_context
def printed(context: Context, value: Any) -> str:
    """What `{{ value }}` puts into a message."""
    if isinstance(value, datetime):
        return _datetime(_reader(context), value)
    if isinstance(value, date):
        return _date(_reader(context), value)
    if isinstance(value, float):
        return _number(_reader(context), value)
    return plain_text(value)


def _reader(context: Context) -> Reader:
    reader: Reader = context.get(READER)
    return reader


def _date(reader: Reader, value: Any, width: str = "long") -> str:
    if not isinstance(value, date):
        raise EvaluationError("not-a-date")
    if isinstance(value, datetime):
        value = value.astimezone(reader.zone)
    return format_date(value, _width(width), locale=reader.locale)


def _time(reader: Reader, value: Any, width: str = "short") -> str:
    if not isinstance(value, datetime):
        raise EvaluationError("not-a-time")
    return format_time(value.astimezone(reader.zone), _width(width), locale=reader.locale)


def _datetime(reader: Reader, value: Any, width: str = "medium") -> str:
    if not isinstance(value, datetime):
        raise EvaluationError("not-a-time")
    return format_datetime(value.astimezone(reader.zone), _width(width), locale=reader.locale)


def _number(reader: Reader, value: Any, digits: Any = None) -> str:
    number = _decimal(value)
    if digits is None:
        return format_decimal(number, locale=reader.locale)
    if type(digits) is not int or not 0 <= digits <= 9:
        raise EvaluationError("not-a-number")
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(number, format=pattern, locale=reader.locale)


def _money(reader: Reader, value: Any, currency: Any = None) -> str:
    code = currency or reader.currency
    if not isinstance(code, str) or not is_currency(code):
        raise EvaluationError("no-currency")
    text = format_currency(_decimal(value), code, locale=reader.locale)
    return _LETTER_AT_DIGIT.sub("\u00a0", text)


def _percent(reader: Reader, value: Any, digits: Any = 0) -> str:
    """15 is 15 %, as the language writes it."""
    if type(digits) is not int or not 0 <= digits <= 9:
        raise EvaluationError("not-a-number")
    number = round(_decimal(value), digits) / 100
    pattern = reader.locale.percent_formats[None].pattern
    places = "0" + ("." + "0" * digits if digits else "")
    return format_decimal(number, format=pattern.replace("#,##0", f"#,##{places}"), locale=reader.locale)


def _join(_: Reader, value: Any, between: Any = ", ") -> str:
    if not isinstance(value, (list, tuple)) or not isinstance(between, str) or len(value) > 1_000:
        raise EvaluationError("not-a-list")
    return between.join(plain_text(item) for item in value)


def _width(width: Any) -> Width:
    if width not in _LENGTHS:
        raise EvaluationError("unknown-format")
    known: Width = width
    return known


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EvaluationError("not-a-number")
    if abs(value) > 1e15:
        raise EvaluationError("too-large")
    return Decimal(str(value))


def _for_reader(format_: Callable[..., str]) -> Callable[..., Any]:
    @pass_context
    def over(context: Context, value: Any, *arguments: Any) -> Any:
        if value is Empty:
            return Empty
        return format_(_reader(context), value, *arguments)

    return over


FORMATTERS: Mapping[str, Callable[..., Any]] = {
    "date": _for_reader(_date),
    "time": _for_reader(_time),
    "datetime": _for_reader(_datetime),
    "number": _for_reader(_number),
    "money": _for_reader(_money),
    "percent": _for_reader(_percent),
    "join": _for_reader(_join),
}
"""What the filters that `template_grammar.FORMATS` declares do. With Empty each gives Empty."""
