"""The workflow once its run has ended, and the whole way of an event to a run without one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from dripline.clock import machine_clock
from dripline.language.plan import StopStep, WaitForStep
from dripline.store import wakes
from dripline.store.database import Store
from dripline.wire import TURNS, Delivery, RunRef, Standing, workflow_id
from tests.durable.house import House
from tests.durable.test_workflow import FakeStore, journey_workers, standing, start, wait_until
from tests.engine.plans import on, plan
from tests.temporal_server import TemporalServer
from workflows.journey import JourneyRun

pytestmark = pytest.mark.temporal


@asynccontextmanager
async def provider_queue(server: TemporalServer, queue: str, taken: list[str]) -> AsyncIterator[None]:
    @activity.defn(name="deliver")
    async def deliver(message: str) -> None:
        taken.append(message)

    async with Worker(await Client.connect(server.address), task_queue=queue, activities=[deliver]):
        yield


def to(queue: str, message: str) -> Delivery:
    return Delivery(message, queue, "welcome", 3, local=False)


async def test_a_run_that_ended_minds_wakes_while_it_still_delivers(temporal_server: TemporalServer) -> None:
    """E-mail is down for hours with a last message pending; a transactional SMS is to be sent again."""
    away, sms = f"email.{uuid.uuid4().hex}", f"sms.{uuid.uuid4().hex}"
    fake = FakeStore([Standing(1, True, None, "step", [to(away, "one")])] * 2)
    sent: list[str] = []
    async with (
        journey_workers(temporal_server, fake) as (client, queue),
        provider_queue(temporal_server, sms, sent),
    ):
        handle = await start(client, queue)
        await wait_until(lambda: fake.asked == [0])
        fake.turns[1] = Standing(
            1, True, None, "step", [to(away, "one"), to(sms, "two")]
        )  # the sweep requeued it
        await handle.signal(JourneyRun.wake)
        await asyncio.sleep(5)
        await handle.terminate()
    assert sent == ["two"]


@pytest.mark.parametrize("ended", [True, False])
async def test_a_message_follows_its_channel_to_another_provider(
    temporal_server: TemporalServer, ended: bool
) -> None:
    """Queued for `email.mailbox`, which has no worker any more once SendGrid is set up."""
    old, new = f"email.{uuid.uuid4().hex}", f"email.{uuid.uuid4().hex}"
    fake = FakeStore([Standing(1, ended, None, "step", [to(old, "one")])] * 30)
    sent: list[str] = []
    async with (
        journey_workers(temporal_server, fake) as (client, queue),
        provider_queue(temporal_server, new, sent),
    ):
        handle = await start(client, queue)
        await wait_until(lambda: fake.asked == [0])
        fake.turns[1:] = [Standing(turn, ended, None, "step", [to(new, "one")]) for turn in range(2, 31)]
        await handle.signal(JourneyRun.wake)  # what the sweep does every five minutes
        await wait_until(lambda: sent == ["one"])
        if ended:
            await asyncio.wait_for(handle.result(), 10)
        else:
            await handle.terminate()
    assert sent == ["one"]


async def test_the_history_of_a_run_that_ended_and_still_delivers_stays_short(
    temporal_server: TemporalServer,
) -> None:
    """A message in warm-up, or behind a rate, makes no progress for days: the sweep wakes it each 5 minutes."""
    away = f"email.{uuid.uuid4().hex}"
    fake = FakeStore([Standing(1, True, None, "step", [to(away, "one")])] * 2)
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        await wait_until(lambda: fake.asked == [0])
        for _ in range(40):
            await client.get_workflow_handle(handle.id).signal("wake")
            await asyncio.sleep(0.05)
        described = await client.get_workflow_handle(handle.id).describe()
        await client.get_workflow_handle(handle.id).terminate()
    assert described.history_length < 100


async def test_an_event_reaches_a_run_whose_workflow_was_lost(
    temporal_server: TemporalServer, store: Store
) -> None:
    """Real turns, a real server: the workflow is gone (terminated, or Temporal's file was), then an event comes."""
    forever = plan(
        WaitForStep(id="wait", on=on("visit"), then="seen", otherwise=None),
        StopStep(id="seen", reason="seen"),
    )
    house = House(store, forever)
    client = await Client.connect(temporal_server.address)
    queue = f"journeys-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(4) as threads:
        async with (
            Worker(
                client,
                task_queue=queue,
                workflows=[JourneyRun],
                activities=[house.turns.advance],
                activity_executor=threads,
            ),
            Worker(client, task_queue=TURNS, activities=[house.turns.advance], activity_executor=threads),
        ):
            [run] = house.happens("lead.created", machine_clock())

            async def wake(**options: object) -> None:  # as Waker._wake, on a queue of this test's own
                await client.start_workflow(  # type: ignore[call-overload]
                    "JourneyRun", RunRef(run), id=workflow_id("welcome", run), task_queue=queue, **options
                )
                with store.write() as connection:
                    wakes.wakes_done(connection, wakes.wanted(connection, 10))

            await wake()
            await wait_until(lambda: house.run(run).turn >= 1)
            await client.get_workflow_handle(workflow_id("welcome", run)).terminate()
            house.happens("visit", machine_clock() + timedelta(seconds=1))
            await wake(start_signal="wake")
            await asyncio.sleep(4)
            row = house.run(run)
            await client.get_workflow_handle(
                workflow_id("welcome", run)
            ).terminate() if not row.ended_at else None
    assert row.outcome_reason == "seen", "it waits for ever with the event in its inbox"


__all__ = ["standing"]
