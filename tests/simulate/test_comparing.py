"""What was expected beside what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dripline.language.plan import Duration
from dripline.language.scenario import Expectation
from dripline.simulate.comparing import Row, compare, fits
from dripline.simulate.seen import Seen

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def expected(days: int, **more: str) -> Expectation:
    return Expectation.model_validate({"after": f"{days} days", **more})


def happened(days: int, kind: str, name: str, **facts: str) -> Seen:
    return Seen(START + timedelta(days=days), kind, name, "j", 0, facts)


def moment(one: Expectation) -> datetime:
    after = one.after or Duration()
    return START + timedelta(days=after.days)


def said(rows: list[Row]) -> list[str]:
    return [
        " ".join(
            (
                "=" if row.fine else "-" if row.seen is None else "+" if row.expected is None else "~",
                row.seen.name if row.seen else row.expected.name if row.expected else "?",
                *row.differences,
            )
        )
        for row in rows
    ]


def test_what_is_missing_and_what_is_too_much_are_found_in_order() -> None:
    rows = compare(
        [expected(0, email="a"), expected(1, email="b"), expected(2, ends="x")],
        moment,
        [happened(0, "email", "a"), happened(1, "sms", "b"), happened(2, "ends", "x")],
        partial=False,
    )
    assert said(rows) == ["= a", "- b", "+ b", "= x"]


def test_what_came_at_another_time_or_says_something_else_differs() -> None:
    rows = compare(
        [expected(0, email="a", subject="~Hi"), expected(1, email="b"), expected(2, ends="x")],
        moment,
        [
            happened(0, "email", "a", subject="Hello"),
            happened(2, "email", "b"),
            happened(2, "ends", "y"),
        ],
        partial=False,
    )
    assert said(rows) == ["~ a subject", "~ b time", "~ y ends"]


def test_a_partial_list_leaves_out_what_it_does_not_name() -> None:
    things = [happened(0, "email", "a"), happened(1, "email", "b"), happened(2, "ends", "x")]
    assert said(compare([expected(1, email="b")], moment, things, partial=True)) == ["= b"]
    assert said(compare([expected(1, email="c")], moment, things, partial=True)) == ["- c"]


def test_an_expectation_may_name_the_journey() -> None:
    things = [happened(0, "email", "a")]
    assert said(compare([expected(0, email="a", journey="j")], moment, things, False)) == ["= a"]
    assert said(compare([expected(0, email="a", journey="k")], moment, things, False)) == ["- a", "+ a"]


@pytest.mark.parametrize(
    ("wording", "text", "fitting"),
    [
        ("Welcome", "Welcome", True),
        ("Welcome", "Welcome!", False),
        ("one two", "one\n  two\n", True),
        ("~come to", "Welcome\nto us", True),
        ("~Welcome", "", False),
        ("/^W.*e$/", "Welcome", True),
        ("/[0-9]+/", "none", False),
        ("/", "/", True),
    ],
)
def test_wordings(wording: str, text: str, fitting: bool) -> None:
    assert fits(wording, text) is fitting
