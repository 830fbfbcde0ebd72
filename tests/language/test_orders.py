from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.language.orders import Item, OrderRules, RefundEntry, Unreadable, read_order, read_refund

RULES = OrderRules(event="order.paid")
TEXTS = st.text("a1.- ", max_size=6) | st.integers() | st.floats() | st.none() | st.booleans()


def test_an_order_is_read_in_minor_units_with_what_was_bought() -> None:
    said = {
        "order_id": "o-1",
        "total": "19.99",
        "currency": "usd",
        "items": [{"product": "mug", "quantity": 2, "price": 9.995}, "spoon", {"colour": "red"}],
    }
    order = read_order(RULES, said, "AMD")
    assert (order.reference, order.total, order.currency) == ("o-1", 1999, "USD")
    assert order.items == (Item("mug", 2, 1000), Item("spoon"))


def test_an_order_that_says_no_currency_is_in_the_workspaces() -> None:
    order = read_order(RULES, {"order_id": 17, "total": 12_000}, "AMD")
    assert (order.reference, order.total, order.currency) == ("17", 1_200_000, "AMD")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_id": ""}, "order_id"),
        ({"order_id": "o" * 257}, "order_id"),
        ({"order_id": True}, "order_id"),
        ({"total": -1}, "total"),
        ({"total": "much"}, "total"),
        ({"total": None}, "total"),
        ({"currency": "XXQ"}, "currency"),
    ],
)
def test_an_order_without_what_makes_it_one_is_named_by_its_property(
    change: dict[str, Any], field: str
) -> None:
    said = {"order_id": "o-1", "total": 5, "currency": "EUR", **change}
    with pytest.raises(Unreadable) as caught:
        read_order(RULES, said, "EUR")
    assert caught.value.field == field


def test_a_refund_without_an_amount_is_all_of_it() -> None:
    rules = RefundEntry(event="order.refunded", total="event.total")
    assert read_refund(rules, {"order_id": "o-1", "total": 3.5}).total == Decimal("3.5")
    assert read_refund(RefundEntry(event="order.refunded"), {"order_id": "o-1"}).total is None
    with pytest.raises(Unreadable):
        read_refund(rules, {"order_id": "o-1"})


@given(
    st.dictionaries(
        st.sampled_from(["order_id", "total", "currency", "items"]),
        TEXTS | st.lists(TEXTS | st.dictionaries(st.sampled_from(["product", "quantity", "price"]), TEXTS)),
    )
)
def test_whatever_an_event_says_is_an_order_or_unreadable(said: dict[str, Any]) -> None:
    try:
        order = read_order(RULES, said, "AMD")
    except Unreadable:
        return
    assert order.reference
    assert 0 <= order.total <= 10**14
    assert all(item.product and item.quantity >= 1 for item in order.items)
