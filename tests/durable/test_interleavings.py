"""What must not happen, forced to nearly happen: each on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from activities.deliver import Later, Settled
from dripline.language.plan import DelayStep, Duration, Limit, StopStep, Trigger, WaitForStep
from dripline.providers import DeliveryReport, Outgoing, Uncertain
from dripline.store import messages
from dripline.store.database import Store
from tests.durable.house import NOW, House, Thread, paused_at
from tests.engine.plans import email, on, plan

HELLO = plan(email("hello"))
WAITING = plan(
    email("hello", next="rest"),
    DelayStep(id="rest", duration=Duration(days=1), next="wait"),
    WaitForStep(id="wait", on=on("visit"), timeout=Duration(days=1), then="seen", otherwise=None),
    StopStep(id="seen", reason="seen"),
)
TOMORROW = NOW + timedelta(days=1)


def test_an_event_that_comes_while_a_turn_starts_to_wait_wakes_the_run(store: Store) -> None:
    house = House(store, WAITING)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with paused_at(store, "turn", "UPDATE runs") as (reached, go_on):
        turn = Thread("turn", lambda: house.advance(run, TOMORROW))
        assert reached.wait(10)
        event = Thread("event", lambda: house.happens("visit", TOMORROW))
        event.join(0.3)
        assert event.is_alive(), "the event did not wait for the turn"
        go_on.set()
        turn.done()
        event.done()
    row = house.run(run)
    assert row.step == "wait"
    assert row.wake_wanted > row.wake_done
    assert house.advance(run, TOMORROW).ended
    assert house.run(run).outcome_reason == "seen"


def test_a_turn_that_starts_to_wait_while_an_event_comes_finds_it(store: Store) -> None:
    house = House(store, WAITING)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with paused_at(store, "event", "INSERT INTO events") as (reached, go_on):
        event = Thread("event", lambda: house.happens("visit", TOMORROW))
        assert reached.wait(10)
        turn = Thread("turn", lambda: house.advance(run, TOMORROW))
        turn.join(0.3)
        assert turn.is_alive(), "the turn did not wait for the event"
        go_on.set()
        event.done()
        assert turn.done().ended
    assert house.run(run).outcome_reason == "seen"


def test_two_runs_of_one_lead_share_one_place_under_the_cap(store: Store) -> None:
    capped = Limit(count=1, per=Duration(days=7))
    first = plan(email("hello", limit=capped), journey="first")
    second = plan(email("hello", limit=capped), journey="second")
    house = House(store, first, second)
    runs = house.happens("lead.created")
    assert len(runs) == 2
    together = threading.Barrier(2)

    def turn(run: str) -> None:
        together.wait(10)
        house.advance(run, NOW)

    for thread in [Thread(run, lambda run=run: turn(run)) for run in runs]:  # type: ignore[misc]
        thread.done()
    states = sorted((row.state, row.reason) for row in house.messages())
    assert states == [("queued", None), ("skipped", "limit of 1 per 7 days")]


def test_a_permanent_failure_gives_the_place_under_the_cap_back(store: Store) -> None:
    capped = Limit(count=1, per=Duration(days=7))
    again = plan(email("hello", limit=capped), trigger=Trigger(on=on("visit"), reentry="always"))
    house = House(store, again)
    [first] = house.happens("visit")
    house.advance(first, NOW)
    with store.write() as connection:
        messages.decide(connection, house.message().id, NOW, "refused", failed_at=NOW)
    [second] = house.happens("visit", TOMORROW)
    assert house.advance(second, TOMORROW).deliver


async def test_a_late_local_attempt_and_its_fallback_send_once(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    go_on = threading.Event()

    def hang(message: Outgoing) -> None:
        assert go_on.wait(20)

    house.email.meanwhile = hang
    assert await house.deliveries.deliver_now(key) is False
    held_off = house.deliveries.attempt(key)
    assert isinstance(held_off, Later)
    assert held_off.code == "in-flight"
    go_on.set()
    while house.message().state == "sending":
        pass
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.email.sent == [key]
    assert house.message().state == "accepted"


def test_an_attempt_that_outlived_its_lease_still_settles_what_it_did(store: Store) -> None:
    house = House(store, HELLO, lease=5.0)
    key = house.queued_message()
    sending, go_on = threading.Event(), threading.Event()

    def hang(message: Outgoing) -> None:
        sending.set()
        assert go_on.wait(20)

    house.email.meanwhile = hang
    late = Thread("late", lambda: house.deliveries.attempt(key, local=True))
    assert sending.wait(10)
    house.clock.offset = timedelta(seconds=6)
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.message().state == "uncertain"
    go_on.set()
    late.done()
    assert house.email.sent == [key]
    assert house.message().state == "accepted"


def test_a_webhook_that_comes_before_our_own_commit_is_kept(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    delivered_at = NOW + timedelta(minutes=1)

    def report(message: Outgoing) -> None:
        with store.write() as connection:
            said = DeliveryReport(message.key, "delivered", delivered_at, "provider-1")
            assert messages.record_report(connection, said, NOW)

    house.email.meanwhile = report
    assert house.deliveries.attempt(key) is Settled.YES
    row = house.message()
    assert row.state == "delivered"
    assert row.delivered_at == row.accepted_at == delivered_at
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.email.sent == [key]


@pytest.mark.parametrize("kinds", [("delivered", "accepted"), ("accepted", "delivered", "delivered")])
def test_webhooks_settle_what_is_uncertain_in_any_order_and_twice(
    store: Store, kinds: tuple[str, ...]
) -> None:
    house = House(store, HELLO)
    key = house.queued_message()

    def drop(message: Outgoing) -> None:
        raise Uncertain("fake.dropped")

    house.email.meanwhile = drop
    house.deliveries.attempt(key)
    assert house.message().state == "uncertain"
    for kind in kinds:
        with store.write() as connection:
            messages.record_report(connection, DeliveryReport(key, kind, NOW, "provider-1"), NOW)
    assert house.message().state == "delivered"


def test_one_turn_asked_for_twice_at_once_is_taken_once(store: Store) -> None:
    house = House(store, HELLO)
    [run] = house.happens("lead.created")
    together = threading.Barrier(4)

    def turn() -> int:
        together.wait(10)
        return house.advance(run, NOW, seen=0).turn

    threads = [Thread(f"turn-{number}", turn) for number in range(4)]
    assert {thread.done() for thread in threads} == {1}
    assert len(house.messages()) == 1
