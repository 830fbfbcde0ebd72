"""Discounts at the till: reserved, redeemed, taken back, expired; what they cost, and whose codes they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from activities.sweep import Patience, Sweeper
from dripline.ingest.recording import record
from dripline.ingest.redeeming import Purchase
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import Budget, DiscountStep, Duration, Plan
from dripline.store import budgets, discounts, pools, schema
from dripline.store.database import Store
from dripline.store.discounts import plain_code
from dripline.store.events import Event
from dripline.store.leads import add_lead
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan
from tests.web.conftest import WORKSPACE

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
SPRING = {"budgets": {"spring": Budget(amount=10_000, currency="USD", codes=3)}}


def offering(name: str = "welcome", more: dict[str, Any] | None = None, **said: Any) -> Plan:
    given: dict[str, Any] = {"percent": 15.0, "valid": Duration(days=14), "result": "offer"}
    step = DiscountStep(id="offer", **(given | {"next": "email:offer"} | said))
    return plan(step, email("offer"), journey=name, **(more or {}))


class Shop:
    """Asks for codes and redeems them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ingest = Ingest(house.store, WORKSPACE, machine=house.clock)

    def redeem(self, code: str, reference: str, total: float | None = None, currency: str = "USD") -> str:
        """`ok`, or the code of the refusal."""
        amount = None if total is None else Decimal(str(total))
        try:
            self.ingest.redeem(code, Purchase(reference, None, amount, currency))
        except Refused as refusal:
            return refusal.code
        return "ok"

    def reserve(self, code: str, reference: str) -> str:
        try:
            self.ingest.reserve(code, reference, None, timedelta(minutes=30))
        except Refused as refusal:
            return refusal.code
        return "ok"


def happened(store: Store, name: str) -> list[dict[str, Any]]:
    with store.read() as connection:
        query = select(schema.events.c.properties).where(schema.events.c.name == name)
        return list(connection.execute(query.order_by(schema.events.c.seq)).scalars())


def issued(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(schema.discounts).order_by(schema.discounts.c.issued_at)).all())


def enters(house: House, lead: str) -> None:
    """The lead happens to be created, and takes its first turns."""
    event = Event(f"created-{lead}", lead, "lead.created", {}, NOW)
    with house.store.write() as connection:
        runs = record(connection, event, house.clock()).started
    for run in runs:
        house.advance(run, NOW)


def started(store: Store, *plans: Plan, leads: int = 1) -> House:
    """A house in which that many leads have been offered something."""
    house = House(store, *plans)
    house.clock.offset = NOW - house.clock()
    with store.write() as connection:
        for number in range(2, leads + 1):
            add_lead(connection, f"lead-{number}", {"email": f"{number}@example.com"}, NOW)
    for number in range(1, leads + 1):
        enters(house, f"lead-{number}")
    return house


def test_what_is_redeemed_is_told_to_the_leads_journeys(store: Store) -> None:
    house = started(store, offering(percent=15.0, most=2_000, currency="USD"))
    [row] = issued(store)
    shop = Shop(house)
    assert [shop.redeem(row.code, "order-9", 199.99) for _ in range(2)] == ["ok", "ok"]
    said = {"code": row.code, "journey": "welcome", "order": "order-9"}
    assert happened(store, "discount.redeemed") == [said | {"total": 199.99, "given": 20, "currency": "USD"}]


def test_a_code_that_is_reserved_is_that_orders_alone(store: Store) -> None:
    house = started(store, offering())
    [row] = issued(store)
    shop = Shop(house)
    assert shop.reserve(row.code, "order-1") == "ok"
    assert shop.reserve(row.code, "order-2") == shop.redeem(row.code, "order-2") == "reserved"
    house.clock.offset += timedelta(minutes=31)
    assert shop.reserve(row.code, "order-2") == "ok", "the first one had its time"
    shop.ingest.release(row.code, "order-1", None)
    assert shop.redeem(row.code, "order-1") == "reserved", "it was no longer that order's to release"
    shop.ingest.release(row.code, "order-2", None)
    assert shop.redeem(row.code, "order-1") == "ok"
    assert shop.reserve(row.code, "order-2") == "redeemed"


def test_an_order_has_one_discount_unless_all_of_its_own_may_stand_beside_others(store: Store) -> None:
    house = started(
        store,
        offering("first"),
        offering("second"),
        offering("third", stacks=True),
        offering("fourth", stacks=True),
    )
    codes = {row.journey: row.code for row in issued(store)}
    shop = Shop(house)
    assert shop.redeem(codes["first"], "order-1") == "ok"
    assert shop.redeem(codes["second"], "order-1") == "not-combinable"
    assert shop.redeem(codes["third"], "order-1") == "not-combinable"
    assert [shop.redeem(codes[name], "order-2") for name in ("third", "fourth", "second")] == [
        "ok",
        "ok",
        "not-combinable",
    ]


@SQLITE
def test_what_an_order_has_reserved_stands_beside_nothing_either(store: Store) -> None:
    house = started(store, offering("first"), offering("second"))
    first, second = (row.code for row in issued(store))
    shop = Shop(house)
    assert shop.reserve(first, "order-1") == "ok"
    assert shop.redeem(second, "order-1") == "not-combinable"
    house.clock.offset += timedelta(minutes=31)
    assert shop.redeem(second, "order-1") == "ok"


def test_what_was_taken_back_is_nobodys(store: Store) -> None:
    house = started(store, offering())
    [row] = issued(store)
    shop = Shop(house)
    assert shop.ingest.revoke(row.code, None, "sent by mistake", "anna").revoked_why == "sent by mistake"
    assert shop.ingest.revoke(row.code, None, "again", "anna").revoked_why == "sent by mistake"
    assert shop.redeem(row.code, "order-1") == shop.reserve(row.code, "order-1") == "revoked"


def test_the_order_must_be_large_enough_and_in_the_discounts_currency(store: Store) -> None:
    house = started(store, offering(percent=None, amount=999, min_order=5_000, currency="USD"))
    [row] = issued(store)
    shop = Shop(house)
    assert shop.redeem(row.code, "o", 49.99) == "below-minimum"
    assert shop.redeem(row.code, "o", 50, "EUR") == "invalid"
    assert shop.redeem(row.code, "o", 50.001) == "invalid"
    assert shop.redeem(row.code, "o", 50) == "ok"
    assert issued(store)[0].given == 999


def test_what_expires_unused_is_told_once_by_the_sweep(store: Store) -> None:
    house = started(store, offering(), leads=2)
    first, second = issued(store)
    assert Shop(house).redeem(first.code, "order-1") == "ok"
    sweeper = Sweeper(store, {}, Patience(), clock=house.clock)
    sweeper.sweep()
    assert happened(store, "discount.expired") == []
    house.clock.offset += timedelta(days=16)
    for _ in range(2):
        sweeper.sweep()
    assert happened(store, "discount.expired") == [{"code": second.code, "journey": "welcome"}]
    assert Shop(house).redeem(second.code, "order-2") == "expired"


def test_a_pool_gives_each_lead_a_code_of_its_own_and_then_is_empty(store: Store) -> None:
    house = House(store, offering(pool="partner"), offering("or-own", pool="partner", if_empty="own"))
    with store.write() as connection:
        known = [(plain_code(code), code) for code in ("P-1", "P-2", "P-3")]
        assert pools.add_codes(connection, "partner", known, NOW) == 3
        assert pools.add_codes(connection, "partner", [*known, ("P4", "p4")], NOW) == 1
        for number in range(2, 4):
            add_lead(connection, f"lead-{number}", {"email": f"{number}@example.com"}, NOW)
    for number in range(1, 4):
        enters(house, f"lead-{number}")
    codes = [row.code for row in issued(store)]
    assert set(codes) >= {"P-1", "P-2", "P-3", "p4"}
    assert len(codes) == 5, "one lead was issued none, one a code of ours"
    assert sum(discounts.is_code(code) for code in codes) == 1
    with store.read() as connection:
        assert pools.left(connection) == {"partner": (0, 4)}
        offers = connection.execute(select(schema.runs.c.variables["offer"])).scalars()
        assert {"reason": "pool empty", "is": "discount", "skipped": True} in list(offers)


def test_a_budget_pays_for_so_many_codes_and_no_more(store: Store) -> None:
    started(store, offering(more=SPRING, budget="spring"), leads=5)
    assert len(issued(store)) == 3
    with store.read() as connection:
        reasons = connection.execute(select(schema.runs.c.variables["offer"]["reason"].as_string())).scalars()
        assert sorted(filter(None, reasons)) == ["budget spent"] * 2


def test_what_codes_may_come_to_is_kept_for_them_and_given_back(store: Store) -> None:
    more = {"budgets": {"spring": Budget(amount=5_000, currency="USD")}}
    amount = offering(more=more, budget="spring", percent=None, amount=2_000, currency="USD")
    house = started(store, amount, leads=3)
    first, second = issued(store)
    shop = Shop(house)

    def standing() -> tuple[int, int]:
        with store.read() as connection:
            [row] = budgets.all_budgets(connection)
            return row.committed, row.spent

    assert standing() == (4_000, 0)
    assert shop.redeem(first.code, "order-1") == "invalid", "what it comes to must be known"
    assert shop.redeem(first.code, "order-1", 15) == "ok"
    assert standing() == (2_000, 1_500), "no more comes off than the order comes to"
    shop.ingest.revoke(second.code, None, "no longer wanted", None)
    assert standing() == (0, 1_500)


@SQLITE
def test_a_code_that_expired_and_is_taken_back_gives_its_part_of_the_budget_back_once(store: Store) -> None:
    more = {"budgets": {"spring": Budget(amount=5_000, currency="USD")}}
    house = started(
        store, offering(more=more, budget="spring", percent=None, amount=2_000, currency="USD"), leads=2
    )
    house.clock.offset += timedelta(days=16)
    Sweeper(store, {}, Patience(), clock=house.clock).sweep()
    for row in issued(store):
        Shop(house).ingest.revoke(row.code, None, "too late", None)
    with store.read() as connection:
        [budget] = budgets.all_budgets(connection)
    assert (budget.committed, budget.spent) == (0, 0)


def test_a_percentage_without_a_most_is_refused_once_the_budget_is_spent(store: Store) -> None:
    more = {"budgets": {"spring": Budget(amount=10_000, currency="USD")}}
    house = started(store, offering(more=more, budget="spring", percent=50.0), leads=3)
    first, second, third = issued(store)
    shop = Shop(house)
    assert shop.redeem(first.code, "order-1", 100) == "ok"
    assert shop.redeem(second.code, "order-2", 100.03) == "budget-spent"
    assert shop.redeem(second.code, "order-2", 100) == "ok"
    assert shop.redeem(third.code, "order-3", 1) == "budget-spent"


def _codes(house: House, number: int, budget: str | None = None) -> list[str]:
    """So many open codes of lead-1, 10 percent off each."""
    [run] = house.happens("lead.created", NOW)
    codes = [f"CODE{number}" for number in range(number)]
    with house.store.write() as connection:
        connection.execute(
            insert(schema.discounts),
            [
                {
                    "id": code,
                    "code": code,
                    "plain_code": code,
                    "shared": False,
                    "lead_id": "lead-1",
                    "run_id": run,
                    "journey": "welcome",
                    "step": "offer",
                    "visit": 1,
                    "percent": 10.0,
                    "currency": "USD",
                    "budget": budget,
                    "issued_at": NOW,
                }
                for code in codes
            ],
        )
    return codes


def test_a_thousand_redemptions_at_once_of_a_hundred_codes_are_a_hundred(store: Store) -> None:
    house = House(store, plan(email("hello")))
    codes, shop = _codes(house, 100), Shop(house)
    wanted = [(codes[number % 100], f"order-{number}") for number in range(1_000)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda one: shop.redeem(*one), wanted))
    assert sorted(set(answers)) == ["ok", "redeemed"]
    assert answers.count("ok") == 100
    assert len(happened(store, "discount.redeemed")) == 100


def test_redemptions_at_once_never_exceed_a_budget_by_a_cent(store: Store) -> None:
    house = House(store, plan(email("hello")))
    codes, shop = _codes(house, 60, "spring"), Shop(house)
    with store.write() as connection:
        budgets.set_budgets(connection, {"spring": Budget(amount=10_007, currency="USD")})
    totals = [10 + 7.31 * number for number in range(60)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda n: shop.redeem(codes[n], f"order-{n}", round(totals[n], 2)),
                range(60),
            )
        )
    assert set(answers) == {"ok", "budget-spent"}
    with store.read() as connection:
        [row] = budgets.all_budgets(connection)
        given = connection.execute(select(func.sum(schema.discounts.c.given))).scalar_one()
    assert row.spent == given <= 10_007
    smallest_refused = min(
        int(round(totals[n], 2) * 10) for n, answer in enumerate(answers) if answer == "budget-spent"
    )
    assert given + smallest_refused + 1 > 10_007, "and it was not refused while it would have gone in"


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "reserve", "release", "revoke", "later"]),
        st.integers(0, 4),
        st.integers(0, 3),
        st.integers(1, 40_000),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_shops_do_books_and_codes_agree(store: Store, acts: list[Any]) -> None:
    with store.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(table.delete())
    house = House(store, plan(email("hello")))
    codes = _codes(house, 5, "spring")
    with store.write() as connection:
        budgets.set_budgets(connection, {"spring": Budget(amount=9_999, currency="USD")})
    house.clock.offset = NOW - house.clock()
    shop = Shop(house)
    won: dict[str, str] = {}
    for what, code, order, cents in acts:
        reference = f"order-{order}"
        if what == "later":
            house.clock.offset += timedelta(minutes=20)
        elif what == "redeem" and shop.redeem(codes[code], reference, cents / 100) == "ok":
            assert won.setdefault(codes[code], reference) == reference, "one code, one order"
        elif what == "reserve":
            shop.reserve(codes[code], reference)
        elif what == "release":
            shop.ingest.release(codes[code], reference, None)
        elif what == "revoke" and codes[code] not in won:
            shop.ingest.revoke(codes[code], None, "so", None)
    assert len(set(won.values())) == len(won), "one order, one code"
    with store.read() as connection:
        [row] = budgets.all_budgets(connection)
        given = connection.execute(select(func.sum(schema.discounts.c.given))).scalar_one() or 0
    assert (row.spent, row.committed) == (given, 0)
    assert row.spent <= 9_999
