"""Products: interests out of events, what is bought together, and what leads are told of."""

from __future__ import annotations

import random
from collections import Counter as Tally
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import insert, select

from dripline.clock import HouseClock
from dripline.engine.recommending import Pick
from dripline.ingest.catalogue import Terms, change_product, last, load_products, put_product
from dripline.ingest.counting import Counter, count_anew
from dripline.ingest.merging.merge import Times, merge
from dripline.ingest.merging.unmerge import unmerge
from dripline.ingest.recording import record
from dripline.ingest.shelf import recommended
from dripline.ingest.telling import Teller
from dripline.language.orders import OrderRules, RefundEntry
from dripline.language.products import ProductEntry, ProductRules
from dripline.language.rules import Rules
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house, set_clock
from dripline.store.interests import interests_in
from dripline.store.leads import change_lead
from dripline.store.products import changes_of, find_product
from dripline.store.rules import current_rules, keep_rules
from dripline.store.schema import events, order_items, orders, product_pairs
from tests.ingest.journeys import MONDAY, a_lead

INTERESTS = {
    "viewed": {"event": "product.viewed", "product": "event.product"},
    "carted": {"event": "cart.abandoned", "product": "event.items"},
    "deferred": {"event": "demand.deferred", "product": "event.product", "until": "event.until"},
}
RULES = Rules(
    timezone="Asia/Yerevan",
    currency="AMD",
    orders=OrderRules(event="order.paid", refund=RefundEntry(event="order.refunded")),
    products=ProductRules.model_validate(
        {"interests": INTERESTS, "due_before": "3 days", "lasts": "90 days"}
    ),
)
TERMS = Terms("AMD", 5)
CATALOGUE = {
    "tea": {"title": {"en": "Tea", "hy": "Թեյ"}, "price": 4500, "related": ["pot"], "replenish": "30 days"},
    "fine-tea": {"title": "Fine tea", "price": 9000},
    "cup": {"title": "Cup", "price": 2000},
    "pot": {"title": "Pot", "price": 12000, "upgrade": "samovar"},
    "samovar": {"title": "Samovar", "price": 90000},
}
ENTRIES = {id_: ProductEntry.model_validate(said) for id_, said in CATALOGUE.items()}
DAY = timedelta(days=1)
SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""


class Shop:
    """A store with a catalogue, two leads, and a clock that is set by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = MONDAY
        with store.write() as connection:
            open_house(connection)
            set_clock(connection, HouseClock())
            keep_rules(connection, RULES, MONDAY)
            a_lead(connection)
            a_lead(connection, "lead-2")
        last(load_products(store, TERMS, ENTRIES, self.clock))
        self.teller = Teller(store, self.clock)
        self.number = 0

    def clock(self) -> datetime:
        return self.now

    def happens(self, name: str, lead: str = "lead-1", **properties: Any) -> None:
        self.number += 1
        event = Event(f"e{self.number}", lead, name, properties, self.now)
        with self.store.write() as connection:
            record(connection, event, self.now)

    def buys(self, *products: str, lead: str = "lead-1", order: str | None = None) -> None:
        reference = order or f"o-{self.number}"
        self.happens("order.paid", lead, order_id=reference, total=1, items=list(products))

    def said(self, lead: str = "lead-1") -> set[tuple[str, str, int]]:
        with self.store.read() as connection:
            return {(row.product_id, row.kind, row.times) for row in interests_in(connection, lead)}

    def picks(self, lead: str = "lead-1") -> list[Pick]:
        with self.store.read() as connection:
            return recommended(connection, lead, self.now)

    def ways(self, lead: str = "lead-1") -> set[tuple[str, str]]:
        return {(pick.way, pick.product.id) for pick in self.picks(lead)}

    def change(self, product: str, **changes: Any) -> None:
        with self.store.write() as connection:
            change_product(connection, TERMS, product, changes, self.now)

    def told(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        query = select(events).where(events.c.name == name).order_by(events.c.seq)
        with self.store.read() as connection:
            return [(row.lead_id, dict(row.properties)) for row in connection.execute(query)]


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_rules_of_products_come_out_of_the_store_as_they_went_in(shop: Shop) -> None:
    with shop.store.read() as connection:
        assert current_rules(connection) == RULES


def test_leads_say_what_interests_them_and_the_newest_word_counts(shop: Shop) -> None:
    shop.happens("product.viewed", product="cup")
    shop.now += DAY
    shop.happens("product.viewed", product="cup")
    shop.happens("cart.abandoned", items=["pot", {"product": "tea", "quantity": 2}, "pot", 7.5])
    shop.happens("demand.deferred", product="samovar", until="2026-09-01")
    assert shop.said() == {
        ("cup", "viewed", 2),
        ("pot", "carted", 1),
        ("tea", "carted", 1),
        ("samovar", "deferred", 1),
    }
    with shop.store.read() as connection:
        [samovar] = [row for row in interests_in(connection, "lead-1") if row.product_id == "samovar"]
    assert samovar.until.isoformat() == "2026-08-31T20:00:00+00:00"  # midnight in Yerevan


def test_what_is_in_the_cart_is_found_until_it_is_bought_or_too_long_ago(shop: Shop) -> None:
    shop.happens("cart.abandoned", items=["cup", "pot"])
    assert {("carted", "cup"), ("carted", "pot")} <= shop.ways()
    shop.now += DAY
    shop.buys("cup")
    assert ("carted", "cup") not in shop.ways()
    assert ("carted", "pot") in shop.ways()
    shop.now += 90 * DAY
    assert ("carted", "pot") not in shop.ways()


def test_an_order_that_is_told_twice_or_given_back_is_no_second_purchase(shop: Shop) -> None:
    shop.buys("tea", order="o-1")
    shop.buys("tea", order="o-1")
    assert shop.said() == {("tea", "bought", 1)}
    assert ("related", "pot") in shop.ways()
    shop.happens("order.refunded", order_id="o-1")
    assert shop.ways() == set()


def test_recommended_is_what_can_be_had_and_is_not_had(shop: Shop) -> None:
    shop.buys("tea", "pot")
    assert shop.ways() == {("upgrade", "samovar")}
    shop.change("samovar", in_stock=False)
    assert shop.ways() == set()


def test_two_leads_that_become_one_had_everything_once_and_part_as_they_were(shop: Shop) -> None:
    shop.happens("product.viewed", product="cup")
    shop.happens("product.viewed", "lead-2", product="cup")
    shop.happens("product.viewed", "lead-2", product="pot")
    shop.buys("tea", lead="lead-2")
    before = shop.said(), shop.said("lead-2")
    with shop.store.write() as connection:
        merged = merge(connection, "lead-1", "lead-2", "api", Times(MONDAY, MONDAY), into="lead-1")
    assert shop.said() == {("cup", "viewed", 2), ("pot", "viewed", 1), ("tea", "bought", 1)}
    assert shop.said("lead-2") == set()
    shop.happens("product.viewed", product="pot")
    with shop.store.write() as connection:
        unmerge(connection, merged.id, Times(shop.now, shop.now))
    assert (shop.said(), shop.said("lead-2")) == (before[0] | {("pot", "viewed", 1)}, before[1])


def test_whoever_is_interested_is_told_once_when_a_price_falls_by_enough(shop: Shop) -> None:
    shop.happens("product.viewed", product="samovar")
    shop.happens("product.viewed", "lead-2", product="cup")
    shop.change("samovar", price=8_700_000)  # 3.3 %
    assert shop.teller.tell_changes(100) == 0
    shop.change("samovar", price=8_000_000)
    assert shop.teller.tell_changes(100) == 1
    assert shop.teller.tell_changes(100) == 0
    [(lead, said)] = shop.told("product.price_dropped")
    assert lead == "lead-1"
    assert said == {
        "product": "samovar",
        "title": "Samovar",
        "before": 87000,
        "after": 80000,
        "currency": "AMD",
    }


def test_prices_that_go_down_in_steps_are_one_piece_of_news_and_up_again_none(shop: Shop) -> None:
    shop.happens("product.viewed", product="samovar")
    for price in (8_900_000, 8_400_000, 8_200_000):
        shop.change("samovar", price=price)
    shop.teller.tell_changes(100)
    [(_, said)] = shop.told("product.price_dropped")
    assert (said["before"], said["after"]) == (89000, 82000)
    shop.change("samovar", price=7_000_000)
    shop.change("samovar", price=9_000_000)
    assert shop.teller.tell_changes(100) == 0


@SQLITE
def test_a_price_in_another_currency_is_no_drop_and_ends_the_news_of_one(shop: Shop) -> None:
    shop.happens("product.viewed", product="samovar")
    shop.change("samovar", price=8_000_000)
    shop.change("samovar", price=20_000, currency="USD")
    assert shop.teller.tell_changes(100) == 0
    shop.change("samovar", price=8_000_000, currency="AMD")
    shop.change("samovar", price=20_000, currency="USD")
    assert shop.teller.tell_changes(100) == 0


def test_who_has_bought_it_meanwhile_or_looked_at_it_too_long_ago_is_not_told(shop: Shop) -> None:
    shop.happens("product.viewed", product="cup")
    shop.happens("product.viewed", "lead-2", product="pot")
    shop.now += DAY
    shop.buys("cup")
    shop.change("cup", price=100_000)
    assert shop.teller.tell_changes(100) == 0
    shop.now += 90 * DAY
    shop.change("pot", price=100_000)
    assert shop.teller.tell_changes(100) == 0


def test_telling_goes_on_where_it_stopped_and_tells_nobody_twice(shop: Shop) -> None:
    for lead in ("lead-1", "lead-2"):
        shop.happens("product.viewed", lead, product="cup")
    shop.change("cup", in_stock=False)
    shop.change("cup", in_stock=True)
    assert [shop.teller.tell_changes(1) for _ in range(4)] == [1, 1, 0, 0]
    assert [lead for lead, _ in shop.told("product.back_in_stock")] == ["lead-1", "lead-2"]
    with shop.store.read() as connection:
        assert [(row.before, row.after) for row in changes_of(connection, "cup")] == [(0, 1), (1, 0)]


def test_what_is_used_up_is_told_before_in_the_leads_language_unless_bought_again(shop: Shop) -> None:
    with shop.store.write() as connection:
        change_lead(connection, "lead-1", {"locale": "hy-AM"}, shop.now)
    shop.buys("tea")
    shop.now += 26 * DAY
    assert shop.teller.tell_due(100) == 0
    shop.now += 1 * DAY
    assert [shop.teller.tell_due(100) for _ in range(2)] == [1, 0]
    assert shop.told("product.due") == [("lead-1", {"product": "tea", "title": "Թեյ"})]
    shop.buys("tea", order="second")
    shop.now += 28 * DAY
    shop.happens("order.refunded", order_id="second")
    assert shop.teller.tell_due(100) == 0


@SQLITE
def test_who_was_told_does_not_stand_in_the_way_of_others(shop: Shop) -> None:
    for lead in ("lead-1", "lead-2"):
        shop.buys("tea", lead=lead)
    shop.now += 30 * DAY
    assert [shop.teller.tell_due(1) for _ in range(3)] == [1, 1, 0]


def test_two_pieces_last_twice_as_long_and_from_the_third_purchase_the_leads_own_rhythm_counts(
    shop: Shop,
) -> None:
    shop.buys("tea", "tea")
    shop.now += 40 * DAY
    assert shop.teller.tell_due(100) == 0
    shop.now += 20 * DAY
    assert shop.teller.tell_due(100) == 1
    for _ in range(2):
        shop.buys("tea")
        shop.now += 10 * DAY
    # Bought on the days 0, 60 and 70: every 35 days, the next time on day 105.
    shop.now += 20 * DAY
    assert shop.teller.tell_due(100) == 0
    shop.now += 3 * DAY
    assert shop.teller.tell_due(100) == 1


def test_what_is_bought_together_is_what_an_independent_count_says(shop: Shop) -> None:
    draw = random.Random(7)
    baskets = [draw.sample(list(CATALOGUE), draw.choice([1, 1, 2, 2, 3])) for _ in range(300)]
    baskets += [["tea", "cup"]] * 40
    with shop.store.write() as connection:
        for number, basket in enumerate(baskets, 1):
            order = {"reference": f"b-{number}", "lead_id": "lead-2", "at": MONDAY, "total": 1}
            made = connection.execute(insert(orders).values(**order, currency="AMD").returning(orders.c.id))
            order_id = made.scalar_one()
            rows = [
                {"order_id": order_id, "number": line, "product_id": id_, "quantity": 1}
                for line, id_ in enumerate(basket, 1)
            ]
            connection.execute(insert(order_items), rows)
    counter = Counter(shop.store, shop.clock)
    assert counter.count() > 0
    assert counter.count() == 0
    assert count_anew(shop.store, shop.clock) == 0

    having = Tally(id_ for basket in baskets for id_ in basket)
    both = Tally(pair for basket in baskets for pair in combinations(sorted(basket), 2))
    expected = {
        (a, b, number, having[a], having[b], len(baskets))
        for (one, other), number in both.items()
        for a, b in ((one, other), (other, one))
        if number >= 2 and number / len(baskets) > having[a] / len(baskets) * having[b] / len(baskets)
    }
    with shop.store.read() as connection:
        assert {tuple(row) for row in connection.execute(select(product_pairs))} == expected
        tea = find_product(connection, "tea")
    assert tea is not None
    assert tea.ordered == having["tea"]
    shop.buys("tea")
    [cup] = [pick for pick in shop.picks() if pick.way == "together"]
    assert (cup.product.id, cup.because and cup.because.id, cup.of) == ("cup", "tea", having["tea"])


def test_a_file_says_its_products_anew_only_where_it_says_something_else(shop: Shop) -> None:
    shop.change("tea", price=400_000)
    loaded = last(load_products(shop.store, TERMS, ENTRIES, shop.clock))
    assert (loaded.anything, loaded.same) == (False, 5)
    with shop.store.write() as connection:
        put_product(connection, TERMS, "gift", ENTRIES["cup"], "api", shop.now)
    fewer = {id_: one for id_, one in ENTRIES.items() if id_ != "cup"}
    dearer = ProductEntry.model_validate({**CATALOGUE["tea"], "price": 5000})
    loaded = last(load_products(shop.store, TERMS, {**fewer, "tea": dearer}, shop.clock))
    assert (loaded.new, loaded.changed, loaded.archived) == ([], ["tea"], ["cup"])
    with shop.store.read() as connection:
        tea, gift = find_product(connection, "tea"), find_product(connection, "gift")
    assert (tea.price, gift.archived_at) == (500_000, None) if tea and gift else False
