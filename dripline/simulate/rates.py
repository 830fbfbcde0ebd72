"""How often leads do what a journey hopes for: `20%/2 days`, said by the author or learnt from what happened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from dripline.language.durations import DurationError, parse_duration

_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


class RateError(ValueError):
    """A text that is no rate. The message says what is wrong and what to write."""


@dataclass(frozen=True)
class Rate:
    """The share (0 to 1) of those who could that do it, evenly spread over `within`; None: as long as they could."""

    share: float
    within: timedelta | None = None


def read_rate(text: str) -> Rate:
    """`0.2`, `20%`, `20%/2 days`. Raises RateError."""
    share, _, within = text.partition("/")
    match = _SHARE.fullmatch(share)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise RateError(f"`{text}` is no rate: write it like `0.2`, `20%` or `20%/2 days`")
    if not within:
        return Rate(value)
    try:
        length = parse_duration(within)
    except DurationError as error:
        raise RateError(f"`{text}` is no rate: {error}; {error.hint}") from None
    span = timedelta(days=length.months * 30 + length.days, seconds=length.seconds)
    if not span:
        raise RateError(f"`{text}` is no rate: nobody answers in no time at all")
    return Rate(value, span)
