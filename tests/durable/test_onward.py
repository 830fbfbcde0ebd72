"""A turn and the first attempt at its message in one go: what is leased with the turn, and what is left to others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from activities import onward
from activities.advance import Route, Turns
from activities.deliver import Later, Settled
from activities.onward import Onward
from dripline.language.plan import DelayStep, Duration, Exit
from dripline.providers import NotAccepted, Outgoing, Uncertain
from dripline.store.database import Store
from dripline.store.house import set_stopped
from dripline.wire import AdvanceRequest, Standing
from tests.durable.house import NOW, ROUTES, House
from tests.engine.plans import email, on, plan

HELLO = plan(email("hello"))
TWO = plan(email("hello", next="email:again"), email("again"))
WAITING = plan(email("hello", next="rest"), DelayStep(id="rest", duration=Duration(days=1), next=None))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


async def first_turn(
    house: House, threads: ThreadPoolExecutor, at_once: int = 2, **wants: object
) -> Standing:
    """Let the lead in, and take its first turn as the journeys' worker does."""
    [run] = house.happens("lead.created")
    turns = Turns(house.store, {**ROUTES, **wants}, clock=house.clock)  # type: ignore[dict-item]
    going = Onward(turns, house.deliveries, threads, at_once)
    return await going.advance(AdvanceRequest(run, 0, NOW.timestamp()))


async def test_the_message_of_a_turn_is_sent_at_once_and_nobody_else_has_to_deliver_it(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, WAITING)
    standing = await first_turn(house, threads)
    row = house.message()
    assert (row.state, row.attempts, row.recipient) == ("accepted", 1, "ani@example.com")
    assert house.email.sent == [row.id]
    assert standing.deliver == []
    assert (standing.turn, standing.step, standing.ended) == (1, "rest", False)


async def test_the_second_message_of_a_turn_goes_the_usual_way(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, TWO)
    standing = await first_turn(house, threads)
    assert sorted(row.state for row in house.messages()) == ["accepted", "queued"]
    [left] = standing.deliver
    assert left.local
    assert house.deliveries.attempt(left.message) is Settled.YES


async def test_the_lease_is_in_the_store_before_the_provider_is_called(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)
    seen: list[tuple[str, int]] = []
    house.email.meanwhile = lambda message: seen.append(
        (house.message().state, house.run(house.message().run_id).turn)
    )
    await first_turn(house, threads)
    assert seen == [("sending", 1)]


async def test_what_the_provider_does_not_take_is_left_to_its_queue(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)

    def refuse(message: Outgoing) -> None:
        raise NotAccepted("fake.rate-limited", 7.0)

    house.email.meanwhile = refuse
    standing = await first_turn(house, threads)
    assert house.message().state == "queued"
    assert [(one.message, one.local) for one in standing.deliver] == [(house.message().id, False)]


async def test_a_message_that_may_have_left_is_nobodys_to_deliver(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)

    def vanish(message: Outgoing) -> None:
        raise Uncertain("fake.no-answer")

    house.email.meanwhile = vanish
    standing = await first_turn(house, threads)
    assert house.message().state == "uncertain"
    assert standing.deliver == []


async def test_a_slow_provider_does_not_hold_up_the_answer_and_is_not_called_twice(
    store: Store, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onward, "PATIENCE", 0.2)
    house = House(store, WAITING)
    go_on = threading.Event()

    def dawdle(message: Outgoing) -> None:
        go_on.wait(20)

    house.email.meanwhile = dawdle
    try:
        standing = await asyncio.wait_for(first_turn(house, threads), 10)
        assert standing.step == "rest"
        [left] = standing.deliver
        assert not left.local
        assert isinstance(house.deliveries.attempt(left.message), Later)
    finally:
        go_on.set()
    threads.shutdown()
    assert house.message().state == "accepted"
    assert house.email.sent == [left.message]


async def test_a_turn_for_which_no_thread_is_free_leaves_its_message_to_others(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)
    standing = await first_turn(house, threads, at_once=0)
    assert [one.local for one in standing.deliver] == [True]
    assert (house.message().state, house.email.sent) == ("queued", [])


async def test_a_provider_with_a_rate_is_served_by_its_queue_alone(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)
    standing = await first_turn(house, threads, email=Route("email.fake", local=False))
    assert [one.local for one in standing.deliver] == [False]
    assert (house.message().state, house.email.sent) == ("queued", [])


async def test_a_brake_holds_the_message_in_the_very_turn_that_queues_it(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, HELLO)
    with store.write() as connection:
        set_stopped(connection, datetime.now(UTC))
    standing = await first_turn(house, threads)
    assert (house.message().state, house.message().reason) == ("held", "everything is stopped")
    assert (standing.deliver, house.email.sent) == ([], [])


async def test_a_worker_that_dies_after_the_turn_leaves_a_message_that_may_have_left(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(store, WAITING)
    [run] = house.happens("lead.created")
    leases = []

    def claim(connection: object, of: object, message: object, lead: object) -> None:
        leases.append(house.deliveries.lease_ahead(connection, of, message, lead))  # type: ignore[arg-type]

    house.turns.take(AdvanceRequest(run, 0, NOW.timestamp()), claim)
    assert leases != [None]
    [left] = house.advance(run, NOW, seen=0).deliver
    assert isinstance(house.deliveries.attempt(left.message), Later)  # the lease is alive
    house.clock.offset = timedelta(seconds=31)
    assert house.deliveries.attempt(left.message) is Settled.YES
    assert (house.message().state, house.email.sent) == ("uncertain", [])


async def test_a_run_that_leaves_in_the_turn_that_queued_its_message_does_not_send_it(
    store: Store, threads: ThreadPoolExecutor
) -> None:
    house = House(
        store,
        plan(email("hello", next="rest"), WAITING.steps[1], exits=(Exit(on=on("gone"), reason="gone"),)),
    )
    [run] = house.happens("lead.created")
    house.happens("gone", NOW + timedelta(seconds=1))
    going = Onward(house.turns, house.deliveries, threads, 1)
    standing = await going.advance(AdvanceRequest(run, 0, (NOW + timedelta(minutes=1)).timestamp()))
    assert standing.ended
    assert (house.message().state, house.message().reason) == ("skipped", "run left by exit")
    assert house.email.sent == []
