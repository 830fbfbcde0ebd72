"""Discounts in the store: issued once, whatever is retried; found however they are typed; redeemed once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from dripline.ingest.redeeming import Purchase
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import DiscountStep, Duration, Plan
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.discounts import ALPHABET, code_for, is_code, plain_code
from dripline.store.house import open_house
from dripline.store.messages import message_key
from tests.durable.house import NOW, House, Thread
from tests.engine.plans import email, plan
from tests.web.conftest import WORKSPACE


def offering(**more: Any) -> Plan:
    given = {"percent": 15.0, "valid": Duration(days=14), "result": "offer", "next": "email:offer"}
    return plan(DiscountStep(id="offer", **(given | more)), email("offer"))


def shop(house: House) -> Ingest:
    return Ingest(house.store, WORKSPACE, machine=house.clock)


def issued(house: House) -> list[Any]:
    with house.store.read() as connection:
        return list(connection.execute(select(schema.discounts)).all())


def test_a_turn_that_is_taken_twice_issues_once(store: Store) -> None:
    house = House(store, offering())
    [run] = house.happens("lead.created")
    turns = [Thread(f"turn-{n}", lambda: house.advance(run, NOW, seen=0)) for n in range(4)]
    for turn in turns:
        turn.done()
    [row] = issued(house)
    assert is_code(row.code)
    assert (row.percent, row.expires_on, row.lead_id, row.journey) == (
        15.0,
        "2026-01-19",
        "lead-1",
        "welcome",
    )
    [message] = house.messages()
    assert message.context["variables"]["offer"] == {
        "code": row.code,
        "percent": 15,
        "expires_on": "2026-01-19",
        "skipped": False,
        "is": "discount",
    }


class _Crash(Exception):
    """The end of a process in the middle of its transaction."""


def crashed_turn(house: House, run_id: str, codes: list[str]) -> None:
    """A turn whose transaction is rolled back after it issued what it adds to `codes`."""
    with house.store.write() as connection:
        run = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).one()
        lead = connection.execute(select(schema.leads).where(schema.leads.c.id == run.lead_id)).one()
        house.turns._take(connection, open_house(connection), run, lead, NOW)
        codes += connection.execute(select(schema.discounts.c.code)).scalars()
        raise _Crash


def test_a_turn_that_was_rolled_back_gives_the_same_code_again(store: Store) -> None:
    house = House(store, offering())
    [run] = house.happens("lead.created")
    with store.write() as connection:
        open_house(connection)  # its secret, which codes are made with, is kept before anything is issued
    codes: list[str] = []
    for _ in range(2):
        with pytest.raises(_Crash):
            crashed_turn(house, run, codes)
    house.advance(run, NOW)
    assert codes == [issued(house)[0].code] * 2


def test_a_code_that_exists_already_is_not_given_again(store: Store) -> None:
    house = House(store, offering())
    [first] = house.happens("lead.created")
    with store.write() as connection:
        secret = open_house(connection).secret
        run = connection.execute(select(schema.runs).where(schema.runs.c.id == first)).one()
        taken = code_for(secret, message_key(first, "offer", 1))
        connection.execute(
            insert(schema.discounts).values(
                id="x",
                code=taken,
                plain_code=plain_code(taken),
                shared=False,
                lead_id="lead-1",
                run_id=run.id,
                journey="welcome",
                step="other",
                visit=1,
                issued_at=NOW,
            )
        )
    house.advance(first, NOW)
    codes = {row.code for row in issued(house)}
    assert len(codes) == 2


@pytest.mark.parametrize(("once_per", "count"), [("visit", 2), ("lead", 1)])
def test_once_per_lead_is_ever(store: Store, once_per: str, count: int) -> None:
    house = House(store, _again(once_per))
    for _ in range(2):
        [run] = house.happens("lead.created")
        assert house.advance(run, NOW).ended
    assert len(issued(house)) == count


def _again(once_per: str) -> Plan:
    journey = offering(once_per=once_per)
    return journey.model_copy(update={"trigger": journey.trigger.model_copy(update={"reentry": "always"})})


def test_one_code_for_all_is_kept_for_each(store: Store) -> None:
    house = House(store, _again("visit").model_copy(update={"steps": offering(code="SPRING-15").steps}))
    for _ in range(2):
        [run] = house.happens("lead.created")
        house.advance(run, NOW)
    assert [row.code for row in issued(house)] == ["SPRING-15"] * 2


def test_amounts_are_kept_in_minor_units_and_said_in_major_ones(store: Store) -> None:
    house = House(store, offering(percent=None, amount=999, min_order=5000, currency="USD"))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    [row] = issued(house)
    assert (row.amount, row.min_order, row.currency) == (999, 5000, "USD")
    offer = house.messages()[0].context["variables"]["offer"]
    assert (offer["amount"], offer["min_order"], offer["currency"]) == (9.99, 50, "USD")


def test_a_code_is_found_however_it_is_typed_and_redeemed_once(store: Store) -> None:
    house = House(store, offering())
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    [row] = issued(house)
    house.clock.offset = NOW - house.clock()
    typed = f" {row.code.lower().replace('-', ' ')} "
    assert shop(house).redeem(typed, Purchase("order-1")).id == row.id
    assert shop(house).redeem(typed, Purchase("order-1")).redeemed_for == "order-1"
    with pytest.raises(Refused, match="redeemed"):
        shop(house).redeem(typed, Purchase("order-2"))


@given(key=st.text(min_size=1, max_size=10), place=st.integers(0, 9), other=st.sampled_from(ALPHABET))
def test_a_wrong_character_is_found(key: str, place: int, other: str) -> None:
    plain = plain_code(code_for("secret", key))
    wrong = plain[:place] + other + plain[place + 1 :]
    assert is_code(plain)
    assert is_code(wrong) == (wrong == plain)


@given(key=st.text(min_size=1, max_size=10), place=st.integers(0, 8))
def test_two_characters_that_changed_places_are_found(key: str, place: int) -> None:
    plain = plain_code(code_for("secret", key))
    wrong = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
    assert is_code(wrong) == (wrong == plain)
