"""Merges in the middle of everything else: turns, attempts, webhooks' answers and other merges at the same time."""

from __future__ import annotations

import threading
from itertools import combinations
from typing import Any

from sqlalchemy import select

from activities.deliver import Later, Settled
from dripline.clock import machine_clock
from dripline.ingest.merging.merge import Merged, Times, merge
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import DelayStep, DiscountStep, Duration, Plan, Trigger
from dripline.language.workspace import Workspace
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead, change_lead, survivor_id
from tests.durable.house import NOW, House, Thread, paused_at
from tests.engine.plans import email, on, plan

HELLO = plan(email("hello"))
REST = DelayStep(id="rest", duration=Duration(days=1), next=None)


def with_two(store: Store, *plans: Plan) -> House:
    """`lead-1`, and beside it `lead-2` with an address of its own; both agreed to messages."""
    house = House(store, *plans)
    with store.write() as connection:
        agreed = {"email": "ann@example.com", "timezone": "UTC", "consent": {"email": True, "sms": True}}
        add_lead(connection, "lead-2", agreed, NOW.replace(hour=10))
    return house


def enters(house: House, lead_id: str) -> str:
    """The run that `lead.created` of that lead starts."""
    with house.store.write() as connection:
        event = Event(f"created-{lead_id}", lead_id, "lead.created", {}, NOW)
        [run] = record(connection, event, machine_clock()).started
    return run


def become_one(store: Store) -> Merged:
    with store.write() as connection:
        return merge(connection, "lead-1", "lead-2", "command", Times(NOW.replace(hour=11), machine_clock()))


def test_a_turn_that_waited_for_a_merge_is_taken_for_who_the_lead_is_now(store: Store) -> None:
    house = with_two(store, HELLO)
    run = enters(house, "lead-2")
    with paused_at(store, "merge", "UPDATE leads") as (reached, go_on):
        merging = Thread("merge", lambda: become_one(store))
        assert reached.wait(10)
        turn = Thread("turn", lambda: house.advance(run, NOW.replace(hour=12)))
        turn.join(0.3)
        assert turn.is_alive(), "the turn did not wait for the merge"
        go_on.set()
        merging.done()
        [delivery] = turn.done().deliver
    assert (house.run(run).lead_id, house.message().lead_id) == ("lead-1", "lead-1")
    assert house.deliveries.attempt(delivery.message) is Settled.YES
    assert house.message().recipient == "ani@example.com"


def test_an_attempt_that_began_before_a_merge_goes_to_who_the_lead_is_now(store: Store) -> None:
    house = with_two(store, HELLO)
    message = house.advance(enters(house, "lead-2"), NOW).deliver[0].message
    with paused_at(store, "attempt", "SELECT leads") as (reached, go_on):
        attempt = Thread("attempt", lambda: house.deliveries.attempt(message))
        assert reached.wait(10)
        become_one(store)
        go_on.set()
        assert attempt.done() == Later("merged", 0.1)
    assert house.message().state == "queued"
    assert house.deliveries.attempt(message) is Settled.YES
    assert (house.message().state, house.message().recipient) == ("accepted", "ani@example.com")
    assert house.email.sent == [message]


def test_a_message_on_its_way_to_the_provider_survives_a_merge(store: Store) -> None:
    house = with_two(store, HELLO)
    message = house.advance(enters(house, "lead-2"), NOW).deliver[0].message
    house.email.meanwhile = lambda _: (become_one(store), None)[1]
    assert house.deliveries.attempt(message) is Settled.YES
    row = house.message()
    assert (row.state, row.lead_id, row.recipient) == ("accepted", "lead-1", "ann@example.com")
    assert house.deliveries.attempt(message) is Settled.YES
    assert house.email.sent == [message]


def test_what_the_run_that_ends_had_queued_does_not_leave(store: Store) -> None:
    house = with_two(store, plan(email("hello", next="rest"), REST))
    first, second = enters(house, "lead-1"), enters(house, "lead-2")
    mine = house.advance(first, NOW).deliver[0].message
    theirs = house.advance(second, NOW).deliver[0].message
    assert house.deliveries.attempt(theirs) is Settled.YES
    assert become_one(store).ended == (first,)
    assert house.deliveries.attempt(mine) is Settled.YES
    assert {row.id: (row.state, row.reason) for row in house.messages()} == {
        theirs: ("accepted", None),
        mine: ("skipped", "run left by merged"),
    }
    assert house.advance(first, NOW.replace(hour=12)).ended


def test_no_message_goes_to_an_address_on_the_strength_of_what_another_agreed_to(store: Store) -> None:
    """`lead-1` has an address and never agreed; who agreed is `lead-2`, which has none."""
    house = House(store, HELLO)
    with store.write() as connection:
        change_lead(connection, "lead-1", {"consent": {}}, NOW)
        agreed = {"phone": "+37491000002", "timezone": "UTC", "consent": {"email": True}}
        add_lead(connection, "lead-2", agreed, NOW.replace(hour=10))
    run = enters(house, "lead-2")
    become_one(store)
    house.advance(run, NOW.replace(hour=12))
    assert (house.message().state, house.message().reason) == ("skipped", "no consent for email")


def test_ten_merges_of_two_leads_at_once_are_one(store: Store) -> None:
    house = with_two(store)
    everybody = threading.Barrier(10)
    outcomes: list[str] = []

    def work() -> None:
        everybody.wait(10)
        try:
            become_one(store)
            outcomes.append("merged")
        except Refused as refusal:
            outcomes.append(refusal.code)

    threads = [Thread(f"merge-{number}", work) for number in range(10)]
    for thread in threads:
        thread.done()
    assert sorted(outcomes) == ["merged"] + ["same-lead"] * 9
    with house.store.read() as connection:
        assert len(connection.execute(select(schema.merges)).all()) == 1


def test_merges_of_all_with_all_at_once_end_in_one_lead_and_lose_nothing(store: Store) -> None:
    workspace = Workspace.model_validate({"timezone": "UTC", "locales": ["en"]})
    ingest = Ingest(store, workspace)
    names = [f"lead-{number}" for number in range(6)]
    with store.write() as connection:
        for number, name in enumerate(names):
            add_lead(connection, name, {"tags": [name]}, NOW.replace(minute=number))
            record(connection, Event(f"seen-{name}", name, "seen", {}, NOW), NOW)
    pairs = list(combinations(names, 2))
    everybody = threading.Barrier(5)
    refused: set[str] = set()

    def work(mine: list[tuple[str, str]]) -> None:
        everybody.wait(10)
        for one, other in mine:
            try:
                ingest.merge_leads(other, one, "command")
            except Refused as refusal:
                refused.add(refusal.code)

    for thread in [Thread(f"pairs-{n}", lambda n=n: work(pairs[n::5])) for n in range(5)]:  # type: ignore[misc]
        thread.done()
    with store.read() as connection:
        [one] = {survivor_id(connection, name) for name in names}
        told = connection.execute(select(schema.events).where(schema.events.c.name == "seen")).all()
        lead: Any = connection.execute(select(schema.leads).where(schema.leads.c.id == one)).one()
    assert (one, refused) == ("lead-0", {"same-lead"})
    assert [row.lead_id for row in told] == [one] * 6
    assert sorted(lead.tags) == names


def test_a_discount_once_per_lead_is_once_per_person(store: Store) -> None:
    once = DiscountStep(id="offer", percent=10, once_per="lead")
    house = with_two(store, plan(once, trigger=Trigger(on=on("visit"), reentry="always")))
    with store.write() as connection:
        [run] = record(connection, Event("visit-2", "lead-2", "visit", {}, NOW), machine_clock()).started
    house.advance(run, NOW)
    become_one(store)
    [again] = house.happens("visit", NOW.replace(hour=12))
    house.advance(again, NOW.replace(hour=12))
    with store.read() as connection:
        [discount] = connection.execute(select(schema.discounts)).all()
    assert discount.lead_id == "lead-1"
