"""Orders are made of events: once each, by whatever way the events come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dripline.ingest.incoming import EventIn
from dripline.ingest.recording import record
from dripline.ingest.service import Ingest
from dripline.language.orders import OrderRules, RefundEntry
from dripline.language.rules import Rules
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.store.customers import customer_of
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import change_lead, load_lead
from dripline.store.orders import items_of, orders_of
from dripline.store.rules import current_rules, keep_rules, make_known
from dripline.store.schema import orders, strays
from tests.ingest.journeys import MONDAY, a_lead

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
RULES = Rules(
    currency="AMD",
    orders=OrderRules(event="order.paid", refund=RefundEntry(event="order.refunded", total="event.total")),
)
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "currency": "AMD",
        "orders": "order.paid",
        "events": {"order.paid": {"order_id": "text", "total": "number", "items": "list"}},
    }
)


def happens(store: Store, name: str, event_id: str, lead: str = "lead-1", **properties: Any) -> None:
    more = {key: properties.pop(key) for key in ("occurred_at", "historical") if key in properties}
    with store.write() as connection:
        record(connection, Event(event_id, lead, name, properties, MONDAY, **more), MONDAY)


@pytest.fixture
def shop(store: Store) -> Store:
    with store.write() as connection:
        keep_rules(connection, RULES, MONDAY)
        a_lead(connection)
        a_lead(connection, "lead-2")
    return store


def ordered(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        rows = connection.execute(select(orders).order_by(orders.c.id)).all()
    return [(row.reference, row.lead_id, row.total, row.currency, row.refunded) for row in rows]


def test_an_event_that_is_an_order_is_kept_as_one_with_its_lines(shop: Store) -> None:
    line = {"product": "mug", "quantity": 2, "price": 2_500}
    happens(shop, "order.paid", "e1", order_id="o-1", total=5_000, items=[line])
    assert ordered(shop) == [("o-1", "lead-1", 500_000, "AMD", 0)]
    with shop.read() as connection:
        [order] = orders_of(connection, ["lead-1"])
        [item] = items_of(connection, [order.id])
    assert (item.product_id, item.quantity, item.price) == ("mug", 2, 250_000)
    assert (order.at, order.event_id) == (MONDAY, "e1")


def test_an_order_counts_once_however_often_it_is_told(shop: Store) -> None:
    happens(shop, "order.paid", "e1", order_id="o-1", total=5)
    happens(shop, "order.paid", "e1", order_id="o-1", total=5)
    happens(shop, "order.paid", "e2", order_id="o-1", total=7)
    happens(shop, "order.paid", "e3", "lead-2", order_id="o-1", total=9)
    assert ordered(shop) == [("o-1", "lead-1", 500, "AMD", 0)]


def test_an_order_of_long_ago_is_one_too_and_of_its_own_time(shop: Store) -> None:
    long_ago = MONDAY - timedelta(days=400)
    happens(shop, "order.paid", "e1", order_id="o-1", total=5, historical=True, occurred_at=long_ago)
    with shop.read() as connection:
        assert [order.at for order in orders_of(connection, ["lead-1"])] == [long_ago]


@SQLITE
def test_an_order_and_a_refund_are_of_when_they_happened_and_never_of_the_future(shop: Store) -> None:
    before, tomorrow = MONDAY - timedelta(days=3), MONDAY + timedelta(days=1)
    happens(shop, "order.paid", "e1", order_id="o-1", total=5, occurred_at=tomorrow)
    happens(shop, "order.paid", "e2", order_id="o-2", total=5, occurred_at=before)
    happens(shop, "order.refunded", "r2", order_id="o-2", total=5, occurred_at=before)
    with shop.read() as connection:
        times = {row.reference: (row.at, row.refunded_at) for row in orders_of(connection, ["lead-1"])}
    assert times == {"o-1": (MONDAY, None), "o-2": (before, before)}


@SQLITE
def test_an_order_makes_a_customer_and_one_of_history_does_not(shop: Store) -> None:
    with shop.write() as connection:
        keep_rules(
            connection, Rules(currency="AMD", orders=OrderRules(event="order.paid", customer=True)), MONDAY
        )
    happens(shop, "order.paid", "e1", order_id="o-1", total=5, historical=True)
    happens(shop, "order.paid", "e2", "lead-2", order_id="o-2", total=5)
    with shop.read() as connection:
        assert [load_lead(connection, lead).stage for lead in ("lead-1", "lead-2")] == [None, "customer"]


def test_refunds_add_up_to_no_more_than_was_paid(shop: Store) -> None:
    happens(shop, "order.paid", "e1", order_id="o-1", total=5)
    for number, expected in ((1, 200), (2, 400), (3, 500)):
        happens(shop, "order.refunded", f"r{number}", order_id="o-1", total=2)
        assert ordered(shop)[0][4] == expected


def test_a_refund_of_another_leads_order_changes_nothing_and_is_counted(shop: Store) -> None:
    happens(shop, "order.paid", "e1", order_id="o-1", total=5)
    happens(shop, "order.refunded", "r1", "lead-2", order_id="o-1", total=2)
    assert ordered(shop)[0][4] == 0
    with shop.read() as connection:
        [stray] = connection.execute(select(strays)).all()
    assert (stray.event, stray.name) == ("order.refunded", "order_id")


def test_an_event_that_says_no_order_is_kept_as_an_event_and_counted_by_what_it_lacks(shop: Store) -> None:
    happens(shop, "order.paid", "e1", order_id="o-1")
    assert ordered(shop) == []
    with shop.read() as connection:
        [stray] = connection.execute(select(strays)).all()
    assert (stray.kind, stray.event, stray.name, stray.times) == ("property", "order.paid", "total", 1)
    assert stray.why == "it is no amount, so that there is no order"


def test_orders_of_a_batch_are_kept_as_well(shop: Store) -> None:
    make_known(shop, WORKSPACE)
    rows = [
        {
            "name": "order.paid",
            "lead": "lead-1",
            "id": f"e{n}",
            "properties": {"order_id": f"o-{n}", "total": n},
        }
        for n in (1, 2)
    ]
    answer = Ingest(shop, WORKSPACE).record_batch(rows)
    assert answer.body["recorded"] == 2
    assert [row[0] for row in ordered(shop)] == ["o-1", "o-2"]


def test_without_rules_nothing_follows_from_an_event(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
    happens(store, "order.paid", "e1", order_id="o-1", total=5)
    assert ordered(store) == []


def test_rules_hold_from_when_they_are_made_known_until_others_are(store: Store) -> None:
    assert make_known(store, WORKSPACE)
    assert not make_known(store, WORKSPACE)
    with store.read() as connection:
        assert current_rules(connection).orders == WORKSPACE.orders
    assert make_known(store, WORKSPACE.model_copy(update={"orders": None}))
    with store.read() as connection:
        assert current_rules(connection).orders is None


def test_of_an_erased_lead_the_sum_stays_and_nothing_that_names_its_order(shop: Store) -> None:
    happens(shop, "order.paid", "e1", order_id="o-1", total=5)
    Eraser(shop).erase("lead-1", "ops")
    assert ordered(shop) == [(None, "lead-1", 500, "AMD", 0)]


def test_an_event_of_the_api_is_an_order_too(shop: Store) -> None:
    make_known(shop, WORKSPACE)
    said = EventIn.model_validate(
        {"name": "order.paid", "lead": "lead-1", "properties": {"order_id": "o-9", "total": 1}}
    )
    Ingest(shop, WORKSPACE).record_event(said)
    assert [row[0] for row in ordered(shop)] == ["o-9"]


def test_an_order_of_a_long_name_makes_a_customer_as_well(shop: Store) -> None:
    rules = OrderRules(event="order.paid", customer=True)
    make_known(shop, WORKSPACE.model_copy(update={"orders": rules}))
    with shop.write() as connection:
        change_lead(connection, "lead-1", {"stage": "lead"}, MONDAY)
    happens(shop, "order.paid", "e" * 128, order_id="o" * 256, total=5)
    with shop.read() as connection:
        card = customer_of(connection, "lead-1")
    assert card is not None
    assert card.order_id is None
    assert [row[0] for row in ordered(shop)] == ["o" * 256]
