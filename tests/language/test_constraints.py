"""What is told as impossible is: no values make a condition hold that is said never to hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.language.constraints import Domain, State, anything, holding
from dripline.language.expressions import EvaluationError, compile_expression, tree_of

NUMBERS = st.integers(-3, 3)
TEXTS = st.sampled_from(["", "a", "b", "c"])
LEADS = st.fixed_dictionaries(
    {},
    optional={
        "n": NUMBERS,
        "f": NUMBERS | st.sampled_from([0.5, 1.5]),
        "s": TEXTS,
        "v": st.booleans(),
        "tags": st.lists(TEXTS, max_size=3),
    },
)
ORDERS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
COMPARISONS = st.one_of(
    st.builds(
        "lead.{} {} {}".format,
        st.sampled_from("nf"),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        NUMBERS,
    ),
    st.builds(
        "{} {} lead.{}".format,
        NUMBERS,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from("nf"),
    ),
    st.builds("{} < lead.n <= {}".format, NUMBERS, NUMBERS),
    st.builds("lead.s {} '{}'".format, st.sampled_from(["==", "!=", "<", ">="]), TEXTS),
    st.builds("lead.s {} ['{}', '{}']".format, st.sampled_from(["in", "not in"]), TEXTS, TEXTS),
    st.builds("'{}' {} lead.tags".format, TEXTS, st.sampled_from(["in", "not in"])),
    st.builds("lead.{}".format, st.sampled_from(["n", "f", "s", "v", "tags"])),
    st.builds(
        "lead.{} is {}".format, st.sampled_from(["n", "s", "tags"]), st.sampled_from(["empty", "defined"])
    ),
    st.builds("lead.v == {}".format, st.sampled_from(["true", "false"])),
    st.builds("(lead.s | upper) == '{}'".format, st.sampled_from(["A", "B"])),
    st.sampled_from(["true", "false", "today > now - days(1)"]),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(({}) if ({}) else ({}))".format, inner, inner, inner),
    ),
    max_leaves=8,
)


def begin(key: str) -> Domain:
    """What the declared types say of the lead above."""
    if key == "lead.v":
        return Domain(only=frozenset({True, False}))
    return Domain(whole=key == "lead.n")


@settings(max_examples=400, deadline=None)
@given(CONDITIONS, LEADS)
def test_what_can_never_hold_holds_for_no_values(condition: str, lead: dict[str, Any]) -> None:
    states = [State(begin, {})]
    try:
        holds = compile_expression(condition).holds({"lead": lead})
    except EvaluationError:
        return
    assert holding(tree_of(condition), states, holds)


@settings(max_examples=200, deadline=None)
@given(st.lists(CONDITIONS, min_size=2, max_size=3), LEADS)
def test_conditions_in_a_row_leave_what_satisfies_them_all(
    conditions: list[str], lead: dict[str, Any]
) -> None:
    states = [State(begin, {})]
    for condition in conditions:
        try:
            holds = compile_expression(condition).holds({"lead": lead})
        except EvaluationError:
            return
        states = holding(tree_of(condition), states, holds)
        assert states


@pytest.mark.parametrize(
    "condition",
    [
        "lead.n > 1 and lead.n < 2",
        "lead.n > 0 and lead.n < 3 and lead.n != 1 and lead.n not in [2]",
        "lead.s == 'a' and not lead.s",
        "lead.v and lead.v == false",
        "not (lead.s == 'a' or lead.s != 'a')",
        "lead.n in [1, 2] and lead.n > 2",
        "lead.x in []",
        "lead.s < 'b' and lead.s > 'b'",
    ],
)
def test_what_contradicts_itself_is_seen(condition: str) -> None:
    assert holding(tree_of(condition), [State(begin, {})]) == []


def test_many_ways_through_a_condition_are_not_followed_for_ever() -> None:
    condition = " and ".join(f"(lead.a{number} == 1 or lead.b{number} == 2)" for number in range(20))
    assert holding(tree_of(condition), [State(anything, {})])


@pytest.mark.parametrize("words", ["or", "and"])
def test_long_conditions_take_no_longer_than_they_are(words: str) -> None:
    condition = f" {words} ".join(f"lead.a{number} > 1" for number in range(60))
    for truth in (True, False):
        assert holding(tree_of(condition), [State(anything, {})], truth)
    nested = "lead.v"
    for _ in range(11):
        nested = f"(lead.x if {nested} else lead.y)"
    assert holding(tree_of(nested), [State(anything, {})])
