from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.language.expressions import compile_expression
from dripline.language.fields import FieldType, coerce_value
from dripline.trying.making_up import Making, fill, first_name, said_in

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
YEREVAN = ZoneInfo("Asia/Yerevan")
MADE = Making(NOW, YEREVAN, "nare.sargsyan@example.com", "AMD", "newsletter")
KINDS: list[FieldType] = ["text", "integer", "number", "boolean", "date", "datetime", "list", "any"]


def found(condition: str, kinds: Mapping[str, FieldType]) -> dict[str, Any] | None:
    """What is made up for an event with these properties under that condition."""
    expression = compile_expression(condition)

    def fits(values: Mapping[str, Any]) -> bool:
        event = {path.removeprefix("event."): value for path, value in values.items() if value is not None}
        return expression.holds({"event": event})

    said = said_in(condition, {})
    choices = {
        f"event.{name}": MADE.candidates(MADE.value(name, kind), kind, said) for name, kind in kinds.items()
    }
    return fill(condition, choices, fits)


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_values_are_of_their_types(kind: FieldType) -> None:
    value = MADE.value("thing", kind)
    assert coerce_value(value, kind, YEREVAN) == value


def test_made_up_values_look_it_or_are_of_use() -> None:
    assert MADE.value("order_id", "text") == "some order id"
    assert MADE.value("first_name", "text") == "Nare"
    assert MADE.value("currency", "text") == "AMD"
    assert MADE.value("recording_url", "text") == "https://example.com/"
    assert MADE.value("starts_at", "datetime") == "2026-03-09T06:00:00+00:00"  # 10:00 in Yerevan, in a week


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ani@example.com", "Ani"),
        ("a.b@example.com", "A"),
        ("42@example.com", "Anna"),
        ("me+1@x.am", "Me"),
    ],
)
def test_somebody_is_called_by_what_the_address_tells(address: str, name: str) -> None:
    assert first_name(address) == name


@pytest.mark.parametrize(
    ("condition", "kinds", "values"),
    [
        ("event.seats >= 5", {"seats": "integer"}, {"event.seats": 5}),
        ("event.seats > 40", {"seats": "integer"}, {"event.seats": 41}),
        ("event.total < 100", {"total": "number"}, {"event.total": 99}),
        ("event.reason in ['price', 'timing']", {"reason": "text"}, {"event.reason": "price"}),
        ("not event.again", {"again": "boolean"}, {"event.again": False}),
        ("event.code is not defined", {"code": "text"}, {"event.code": None}),
        ("'vip' in event.tags", {"tags": "list"}, {"event.tags": ["vip"]}),
        (
            "event.seats > 10 and event.plan == 'team' and event.paid",
            {"seats": "integer", "plan": "text", "paid": "boolean"},
            {"event.seats": 11, "event.plan": "team", "event.paid": True},
        ),
    ],
)
def test_values_are_taken_for_which_the_condition_holds(
    condition: str, kinds: Mapping[str, FieldType], values: Mapping[str, Any]
) -> None:
    assert found(condition, kinds) == values


def test_where_nothing_holds_that_is_said() -> None:
    assert found("event.seats > 5 and event.seats < 5", {"seats": "integer"}) is None
    assert found("event.seats > event.name", {"seats": "integer"}) is None  # cannot be evaluated at all


@given(st.integers(-(10**6), 10**6), st.sampled_from(["<", "<=", "==", ">=", ">", "!="]))
def test_any_comparison_with_a_number_can_be_met(number: int, sign: str) -> None:
    assert found(f"event.seats {sign} {number}", {"seats": "integer"}) is not None
