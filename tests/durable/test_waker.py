"""The waker must outlive everything, and must not deadlock with ingest."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client

from dripline.clock import machine_clock
from dripline.language.plan import WaitForStep
from dripline.store import wakes
from dripline.store.database import Store
from dripline.waker import BEHIND, Waker
from tests.durable.house import NOW, House, Thread, paused_at
from tests.engine.plans import on, plan
from tests.temporal_server import free_port


async def test_the_waker_goes_on_though_temporal_is_away_at_the_start(store: Store) -> None:
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)  # as dripline/stack/serving.py does
    task = asyncio.create_task(Waker(store, client).run())
    done, _ = await asyncio.wait([task], timeout=15)
    failure = task.exception() if done else None
    task.cancel()
    assert not done, f"the waker died: {failure!r}"


async def test_batches_of_events_go_before_wakes_but_not_for_ever(store: Store) -> None:
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    waker = Waker(store, client)
    loop = asyncio.get_running_loop()
    with waker.stand_back():
        began = loop.time()
        await waker.wake_batch()
        assert loop.time() - began >= BEHIND
        waking = asyncio.create_task(waker.wake_batch())
        await asyncio.sleep(0.05)
        assert not waking.done()
        ended = loop.time()
    await waking
    assert loop.time() - ended < BEHIND - 0.05, "the waker went on waiting when the batch was recorded"


def test_the_waker_and_an_event_do_not_deadlock(store: Store) -> None:
    """`wakes_done` locks many runs in the order of their wishes, ingest a lead's runs in another order."""
    journeys = [
        plan(WaitForStep(id="wait", on=on("visit"), then=None, otherwise=None), journey=name)
        for name in ("first", "second")
    ]
    house = House(store, *journeys)
    runs = sorted(house.happens("lead.created"))
    for run in runs:
        house.advance(run, NOW)
    with store.read() as connection:
        wanted = sorted(wakes.wanted(connection, 256), key=lambda wake: wake.run, reverse=True)

    def done() -> None:
        with store.write() as connection:
            wakes.wakes_done(connection, wanted[:1])
            connection.exec_driver_sql("SELECT 'second'")
            wakes.wakes_done(connection, wanted[1:])

    with paused_at(store, "waker", "SELECT 'second'") as (reached, go_on):
        waker = Thread("waker", done)
        assert reached.wait(10)
        event = Thread("event", lambda: house.happens("visit", NOW + timedelta(days=1)))
        event.join(1)
        go_on.set()
        waker.done()
        event.done()
    assert machine_clock()
