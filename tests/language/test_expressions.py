"""Expressions: what they can, what they cannot, and what Empty does."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dripline.language.expressions import (
    Empty,
    EvaluationError,
    ExpressionError,
    compile_expression,
    reads_only_event,
    revive,
)

DOCS = Path(__file__).parents[2] / "docs" / "language.md"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "lead": {
        "email": "ani@example.com",
        "consent": {"email": True, "sms": False},
        "tags": ["vip", "yerevan"],
        "seats": 3,
        "nothing": None,
        "items": "the items",
        "name": "Անի",
    },
    "event": {"starts_at": datetime(2026, 3, 9, 11, tzinfo=UTC), "name": "demo.booked", "total": 12.5},
    "trigger": None,
    "now": NOW,
    "today": date(2026, 3, 2),
}


def value(source: str) -> Any:
    return compile_expression(source).evaluate(SCOPE)


def refusal(source: str) -> tuple[int, str, str]:
    with pytest.raises(ExpressionError) as refused:
        compile_expression(source)
    return refused.value.offset, str(refused.value), refused.value.hint


def failure(source: str) -> str:
    with pytest.raises(EvaluationError) as failed:
        value(source)
    return failed.value.code


def empty_table() -> list[tuple[str, str]]:
    section = DOCS.read_text(encoding="utf-8").split("### Empty")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", section, re.MULTILINE)
    return [(source.replace("\\|", "|"), result) for source, result in rows]


def test_the_table_of_empty_is_in_the_docs() -> None:
    assert len(empty_table()) >= 30


@pytest.mark.parametrize(("source", "result"), empty_table())
def test_every_row_of_the_table_of_empty_is_true(source: str, result: str) -> None:
    known = {"true": True, "false": False, "Empty": Empty}
    expected = known[result] if result in known else compile_expression(result).evaluate({})
    found = compile_expression(source).evaluate({"lead": {}, "now": NOW})
    assert found is expected if expected is Empty else found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lead.consent.email", True),
        ("'vip' in lead.tags", True),
        ("lead.tags[0]", "vip"),
        ("lead['email']", "ani@example.com"),
        ("lead.seats * 2 + 1", 7),
        ("7 // 2 + 7 % 2", 4),
        ("1 < lead.seats <= 3", True),
        ("event.starts_at > now + days(1)", True),
        ("event.starts_at - now < hours(24)", False),
        ("today + days(1) > today", True),
        ("lead.email | upper", "ANI@EXAMPLE.COM"),
        ("lead.email is endswith('.com')", True),
        ("lead.name ~ ' ' ~ lead.seats", "Անի 3"),
        ("'a' + 'b'", "ab"),
        ("2.5 | round", 3),
        ("'8' | int", 8),
        ("'x' | int is empty", True),
        ("lead.tags | length", 2),
        ("lead.tags | last", "yerevan"),
        ("'team' if lead.seats > 2 else 'solo'", "team"),
        ("8 == '8'", False),
    ],
)
def test_expressions_calculate(source: str, expected: Any) -> None:
    assert value(source) == expected


def test_data_comes_before_methods_of_the_same_name() -> None:
    assert value("lead.items") == "the items"


@pytest.mark.parametrize(
    "source",
    [
        "lead.__class__",
        "lead.keys",
        "lead.email.upper",
        "lead['__class__']",
        "lead.tags.append",
        "''.__class__.__mro__",
        "event.starts_at.year",
        "lead.email.format",
        "days(1).total_seconds",
    ],
)
def test_no_attribute_of_python_is_reachable(source: str) -> None:
    assert value(source) is Empty


def test_none_in_the_data_is_empty_at_every_depth() -> None:
    assert value("lead.nothing") is Empty
    assert value("trigger") is Empty
    assert value("[lead.nothing] | first") is Empty


@pytest.mark.parametrize(
    ("source", "offset", "hint"),
    [
        ("lead.email.upper()", 0, "write `| upper`"),
        ("1 == lead.email.startswith('a')", 5, "write `is startswith(…)`"),
        ("lead.a && lead.b", 7, "write `and` for `&&`"),
        ("lead.a || lead.b", 7, "write `or` for `||`"),
        ("!lead.a", 0, "write `not` for `!`"),
        ("lead.a = 3", 7, "write `==` for `=`"),
        ("lead.a == none", 0, "write `x is empty`, or `x is defined`"),
        ("lead.a | uper", 9, "did you mean `upper`?"),
        ("lead.a is endswit('b')", 10, "did you mean `endswith`?"),
        ("days", 0, "write `days(2)`"),
        ("range(3)", 0, "only `days(n)` and `hours(n)` can be called"),
        ("1 if lead.a", 0, "write `A if CONDITION else B`"),
        ("{{ lead.a }}", 0, "write it as it is, such as `lead.consent.email`"),
        ("{% if lead.a %}", 0, "write it as it is, such as `lead.consent.email`"),
        ("lead.a == ‘b’", 10, "write a straight quotation mark (`'`) for `‘`"),
        ("“lead.a”", 0, "write a straight quotation mark (`'`) for `“`"),
    ],
)
def test_what_the_language_has_not_is_refused_with_what_to_write(source: str, offset: int, hint: str) -> None:
    found = refusal(source)
    assert (found[0], found[2]) == (offset, hint)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "   ",
        "lead.",
        "(lead",
        "'open",
        "lead }} x",
        "2 ** 9",
        "{'a': 1}",
        "lead.tags[0:1]",
        "_secret",
        "self",
        "x | default",
        "x | default(value=1)",
        "x is defined(1)",
        "a b",
        "not",
        "(" * 400 + "1" + ")" * 400,
        "not " * 200 + "x",
        "1" + " + 1" * 240,
        "x" * 2000,
        "lead" + "." + "a" * 1000,
    ],
)
def test_what_is_no_expression_is_refused(source: str) -> None:
    refusal(source)


def test_an_expression_that_stops_short_is_told_so_at_its_end() -> None:
    assert refusal("lead.a and")[:2] == (
        10,
        "the expression is not complete: something is missing at its end",
    )


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("lead.email < 3", "cannot-compare"),
        ("3 in 'abc'", "cannot-compare"),
        ("'a' in 3", "cannot-compare"),
        ("event.starts_at > today", "cannot-compare"),
        ("lead.email - 1", "cannot-calculate"),
        ("'a' * 1000000", "cannot-calculate"),
        ("'%s' % 1", "cannot-calculate"),
        ("[1] + [2]", "cannot-calculate"),
        ("1 / 0", "division-by-zero"),
        ("999999999999999 * 999999999999999 * 9", "too-large"),
        ("now + days(36000000)", "too-large"),
        ("days('x')", "cannot-calculate"),
        ("3 | upper", "not-a-text"),
        ("3 | length", "no-length"),
        ("lead.tags ~ 'x'", "not-a-text"),
    ],
)
def test_values_that_do_not_fit_fail_with_a_code(source: str, code: str) -> None:
    assert failure(source) == code


def test_a_failure_says_nothing_of_the_data() -> None:
    with pytest.raises(EvaluationError) as failed:
        value("lead.email < 3")
    assert "ani" not in repr(failed.value)
    assert failed.value.__cause__ is None


def test_texts_do_not_grow_without_bound() -> None:
    long = {"lead": {"text": "x" * 9_000}}
    with pytest.raises(EvaluationError, match="too-long"):
        compile_expression("lead.text ~ lead.text").evaluate(long)


def test_an_expression_knows_the_names_that_it_reads() -> None:
    expression = compile_expression("lead.consent.email and event['seats'] > x.y and now")
    assert expression.names == {"lead.consent.email", "event.seats", "x.y", "now"}
    assert expression.places["x.y"] == 40


def test_what_is_only_asked_for_is_told_apart() -> None:
    assert compile_expression("demo.x is defined or demo.y").guarded == {"demo.x"}
    assert compile_expression("demo and demo.seats > 3").guarded == {"demo", "demo.seats"}
    assert compile_expression("demo.seats | default(0)").guarded == {"demo.seats"}


def test_a_filter_that_reads_only_the_event_can_be_told() -> None:
    assert reads_only_event("event.seats >= 5 and event.name == 'a'")
    assert not reads_only_event("event.seats >= lead.seats")
    assert not reads_only_event("event.at > now")


def test_a_condition_holds_or_not() -> None:
    assert compile_expression("lead.tags").holds(SCOPE)
    assert not compile_expression("lead.nothing").holds(SCOPE)
    assert not compile_expression("0").holds(SCOPE)


def test_declared_times_become_times_again() -> None:
    revived = revive(
        {"at": "2026-03-02T06:00:00+00:00", "on": "2026-03-02", "bad": "soon", "x": 1},
        {"at": "datetime", "on": "date", "bad": "datetime", "missing": "date"},
    )
    assert revived == {
        "at": datetime(2026, 3, 2, 6, tzinfo=UTC),
        "on": date(2026, 3, 2),
        "bad": None,
        "x": 1,
    }


_SCRAPS = """
lead lead.x event . ( ) [ ] { } , | ~ + - * / // % ** == != < > in not and or is if else none true days hours days(1)
upper length default round endswith 'a' 3 3.5 1e999 99999999999999999999 # {{ }} {% %} {# _ self
"""
_WORDS = st.sampled_from(_SCRAPS.split())


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=25).map(" ".join)))
@example("1e999")
@example("\\")
@example("'\\N{x}'")
@example("x\x00y")
@example("٣ + 1")
@example("lead[lead]")
@example("1e308 * 10")
@example("0x" + "f" * 900)
@example("{#")
def test_no_text_raises_anything_but_our_own_errors(source: str) -> None:
    with suppress(ExpressionError, EvaluationError):
        compile_expression(source).evaluate(SCOPE)
