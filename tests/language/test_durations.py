"""Lengths of time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.language.durations import DurationError, parse_duration, parse_limit
from dripline.language.plan import Duration, Limit


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("2 days", Duration(days=2)),
        ("3h", Duration(seconds=10_800)),
        ("1 week 2 days", Duration(days=9)),
        ("P2D", Duration(days=2)),
        ("P1M2DT3H", Duration(months=1, days=2, seconds=10_800)),
        ("PT30M", Duration(seconds=1_800)),
        ("30 min", Duration(seconds=1_800)),
        ("1 Year", Duration(months=12)),
        ("6 months", Duration(months=6)),
        ("0s", Duration()),
        ("  1 day  ", Duration(days=1)),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("3", "say of what: `3 days`?"),
        ("2 dais", "did you mean `days`?"),
        ("5 m", "write `min` for minutes or `months` for months"),
        ("1.5 days", "use whole numbers: `36h`, not `1.5 days`"),
        ("soon", "write it like `2 days`, `3h`, `1 week 2 days` or `P2D`"),
        ("", "write it like `2 days`, `3h`, `1 week 2 days` or `P2D`"),
        ("P", "write it like `2 days`, `3h`, `1 week 2 days` or `P2D`"),
        ("-1 day", "write it like `2 days`, `3h`, `1 week 2 days` or `P2D`"),
        ("999 years", "write a shorter time"),
    ],
)
def test_what_is_no_duration_is_refused_with_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(DurationError) as refused:
        parse_duration(text)
    assert refused.value.hint == hint


def test_limits_are_so_many_in_so_long() -> None:
    assert parse_limit("3 per 7 days") == Limit(count=3, per=Duration(days=7))
    assert parse_limit("1 per day") == Limit(count=1, per=Duration(days=1))


@pytest.mark.parametrize(
    "text", ["3", "0 per day", "3 per", "3 per 0 days", "three per day", "3 per fortnight"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_limit(text)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    for parse in (parse_duration, parse_limit):
        with suppress(DurationError):
            parse(text)
