"""Machines whose clocks are 5 s apart: the worker's or ingest's against the server's, in every combination.

Ingest stamps what comes in; the workflow's time is the server's. Where ingest is ahead or behind, a run's first
wait is so much longer or shorter: so the timeout here is longer than the skew, and what happens is the same.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.advance import Route, Turns
from activities.deliver import Deliveries
from activities.gate import Gate
from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import DelayStep, Duration, MessageStep, StopStep, WaitForStep
from dripline.store import schema, wakes
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead
from dripline.store.plans import publish
from dripline.store.wakes import Wake
from dripline.wire import RunRef, workflow_id
from tests.durable.house import NOW, Clock, FakeProvider
from tests.engine.plans import email, on, plan
from tests.temporal_server import TemporalServer
from workflows.journey import JourneyRun

pytestmark = pytest.mark.temporal

SKEWS = (-5, 0, 5)
VISITS = {"silent": None, "visits while it rests": 0.3, "visits while it waits": 3.0}
"""By fate: how many seconds after it came the lead visits."""

STEPS = (
    email("hello", next="rest"),
    DelayStep(id="rest", duration=Duration(seconds=2), next="wait"),
    WaitForStep(
        id="wait", on=on("visit"), timeout=Duration(seconds=7), then="sms:thanks", otherwise="email:offer"
    ),
    MessageStep(id="sms:thanks", channel="sms", template="thanks", topic="newsletter", next="visited"),
    StopStep(id="visited", reason="visited"),
    email("offer"),
)


@dataclass
class Someone:
    """A lead, whose clocks are wrong, and when it visits."""

    worker: int
    ingest: int
    fate: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent: list[str] = field(default_factory=list)
    end: tuple[str, str | None] | None = None
    turns: int = 0


EVERYONE = [Someone(*about) for about in product(SKEWS, SKEWS, VISITS)]


@pytest.fixture
def published(store: Store) -> Store:
    """A store with the journey, and everyone in it."""
    agreed = {"consent": {"email": True, "sms": True}, "timezone": "UTC"}
    with store.write() as connection:
        publish(connection, plan(*STEPS), NOW)
        for number, one in enumerate(EVERYONE):
            addresses = {"email": f"lead{number}@example.com", "phone": f"+447700900{number:03}"}
            add_lead(connection, one.id, {**addresses, **agreed}, NOW)
    return store


async def test_clocks_five_seconds_apart_change_nothing_and_no_run_goes_round_in_circles(
    published: Store, temporal_server: TemporalServer
) -> None:
    client = await Client.connect(temporal_server.address)
    async with AsyncExitStack() as running:
        queues = {
            skew: await running.enter_async_context(_workers(client, published, skew)) for skew in SKEWS
        }
        waking = asyncio.create_task(_wake_for_ever(client, published, queues))
        try:
            await asyncio.gather(*(_live(published, one) for one in EVERYONE))
            await asyncio.wait_for(_all_ended(published), 40)
        finally:
            waking.cancel()
    everyone = await asyncio.to_thread(_what_became, published)
    for one in everyone:
        where = f"worker {one.worker:+} s, ingest {one.ingest:+} s, {one.fate}"
        visited = one.fate != "silent"
        assert one.sent == [
            "email hello accepted",
            f"{'sms thanks' if visited else 'email offer'} accepted",
        ], where
        assert one.end == (("stopped", "visited") if visited else ("finished", None)), where
        assert one.turns <= 6, f"{where}: {one.turns} turns"


@asynccontextmanager
async def _workers(client: Client, store: Store, skew: int) -> AsyncIterator[str]:
    """A worker with clocks that are so wrong; the queue of its workflows."""
    clock = Clock()
    clock.offset = timedelta(seconds=skew)
    queue = f"journeys-{uuid.uuid4().hex}"
    routes = {channel: Route(f"{channel}.{queue}", local=True) for channel in ("email", "sms")}
    turns = Turns(store, routes, clock=clock)
    providers = {channel: FakeProvider(channel) for channel in routes}
    deliveries = Deliveries(store, providers, Gate(lambda channel, address: True), clock=clock)
    with ThreadPoolExecutor(4) as threads:
        worker = Worker(
            client,
            task_queue=queue,
            workflows=[JourneyRun],
            activities=[turns.advance, deliveries.deliver_now],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        others = [
            Worker(client, task_queue=route.queue, activities=[deliveries.deliver], activity_executor=threads)
            for route in routes.values()
        ]
        async with AsyncExitStack() as running:
            for one in (worker, *others):
                await running.enter_async_context(one)
            yield queue


async def _wake_for_ever(client: Client, store: Store, queues: dict[int, str]) -> None:
    """As the waker does, but each run on the worker whose clocks its lead is to meet."""
    workers = {one.id: one.worker for one in EVERYONE}

    def wanted() -> list[tuple[Wake, str]]:
        with store.read() as connection:
            found = wakes.wanted(connection, 100)
            runs = connection.execute(select(schema.runs.c.id, schema.runs.c.lead_id)).all()
            lead_of = {row.id: row.lead_id for row in runs}
        return [(wake, queues[workers[lead_of[wake.run]]]) for wake in found]

    def done(woken: Sequence[Wake]) -> None:
        with store.write() as connection:
            wakes.wakes_done(connection, woken)

    while True:
        found = await asyncio.to_thread(wanted)
        for wake, queue in found:
            await client.start_workflow(
                "JourneyRun",
                RunRef(wake.run),
                id=workflow_id(wake.journey, wake.run),
                task_queue=queue,
                start_signal=None if wake.first else "wake",
            )
        await asyncio.to_thread(done, [wake for wake, _ in found])
        await asyncio.sleep(0.05)


async def _live(store: Store, one: Someone) -> None:
    """Come, and visit when its fate says so, both by ingest's clock."""
    await asyncio.to_thread(_happens, store, one, "lead.created")
    visits_after = VISITS[one.fate]
    if visits_after is not None:
        await asyncio.sleep(visits_after)
        await asyncio.to_thread(_happens, store, one, "visit")


def _happens(store: Store, one: Someone, name: str) -> None:
    with store.write() as connection:
        now = machine_clock() + timedelta(seconds=one.ingest)
        record(connection, Event(uuid.uuid4().hex, one.id, name, {}, now), now)


async def _all_ended(store: Store) -> None:
    def settled() -> bool:
        with store.read() as connection:
            ended: list[Any] = list(connection.execute(select(schema.runs.c.ended_at)).scalars())
            states = connection.execute(select(schema.messages.c.state)).scalars()
            return len(ended) == len(EVERYONE) and all(ended) and not {"queued", "sending"} & set(states)

    while not await asyncio.to_thread(settled):
        await asyncio.sleep(0.2)


def _what_became(store: Store) -> list[Someone]:
    found = []
    with store.read() as connection:
        for one in EVERYONE:
            run = connection.execute(select(schema.runs).where(schema.runs.c.lead_id == one.id)).one()
            query = select(schema.messages).where(schema.messages.c.run_id == run.id)
            rows = connection.execute(query.order_by(schema.messages.c.queued_at)).all()
            sent = [f"{row.channel} {row.template} {row.state}" for row in rows]
            end = (run.outcome, run.outcome_reason)
            found.append(Someone(one.worker, one.ingest, one.fate, one.id, sent, end, run.turn))
    return found
