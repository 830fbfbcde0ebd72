"""The run's workflow alone, on a real server, in the sandbox: its activities are hand-written fakes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from dripline.wire import TURNS, AdvanceRequest, Delivery, RunRef, Standing, workflow_id
from tests.temporal_server import TemporalServer
from workflows.journey import JourneyRun

pytestmark = pytest.mark.temporal

QUEUE = "email.fake"


@dataclass
class FakeStore:
    """A run whose turns are given; asked twice for one turn, it only says where it is."""

    turns: list[Standing]
    local_fails: int = 0
    deliver_locally: bool = True
    asked: list[int] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    pause: Callable[[], Awaitable[None]] | None = None

    @activity.defn(name="advance")
    async def advance(self, request: AdvanceRequest) -> Standing:
        self.asked.append(request.seen)
        if activity.info().is_local and self.local_fails:
            self.local_fails -= 1
            raise ApplicationError("store-unavailable")
        if self.pause and len(self.asked) == 1:
            await self.pause()
        return self.turns[min(request.seen, len(self.turns) - 1)]

    @activity.defn(name="deliver_now")
    async def deliver_now(self, message: str) -> bool:
        if self.deliver_locally:
            self.delivered.append(message)
        return self.deliver_locally

    @activity.defn(name="deliver")
    async def deliver(self, message: str) -> None:
        self.delivered.append(f"queue {message}")


def standing(turn: int, *messages: str, rest: float | None = 0.0, ended: bool = False) -> Standing:
    """Where the run is after a turn; `rest` in seconds from now."""
    until = None if rest is None else time.time() + rest
    deliver = [Delivery(message, QUEUE, "welcome", 3, local=True) for message in messages]
    return Standing(turn, ended, None if ended else until, "step", deliver)


@asynccontextmanager
async def journey_workers(server: TemporalServer, fake: FakeStore) -> AsyncIterator[tuple[Client, str]]:
    """Workers for the fake, the workflow sandboxed; the client and the workflows' task queue."""
    client = await Client.connect(server.address)
    queue = f"journeys-{uuid.uuid4().hex}"
    async with (
        Worker(
            client,
            task_queue=queue,
            workflows=[JourneyRun],
            activities=[fake.advance, fake.deliver_now],
            workflow_runner=SandboxedWorkflowRunner(),
        ),
        Worker(client, task_queue=TURNS, activities=[fake.advance]),
        Worker(client, task_queue=QUEUE, activities=[fake.deliver]),
    ):
        yield client, queue


async def start(client: Client, queue: str, **options: object) -> WorkflowHandle[JourneyRun, None]:
    run = uuid.uuid4().hex
    return await client.start_workflow(  # type: ignore[call-overload,no-any-return]
        JourneyRun.run, RunRef(run), id=workflow_id("welcome", run), task_queue=queue, **options
    )


async def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.02)


async def test_two_messages_and_a_wait_take_few_events(temporal_server: TemporalServer) -> None:
    fake = FakeStore(
        [standing(1, "one", rest=4.0), standing(2, "two", ended=True)]
    )  # longer than a start takes
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        await handle.result()
        history = await handle.fetch_history()
    tasks = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    assert fake.delivered == ["one", "two"]
    assert fake.asked == [0, 1]
    assert len(tasks) == 2
    assert len(history.events) <= 16


async def test_a_wake_ends_a_long_rest_at_once(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, rest=3600), standing(2, ended=True)])
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        await wait_until(lambda: fake.asked == [0])
        await handle.signal(JourneyRun.wake)
        await asyncio.wait_for(handle.result(), 10)


async def test_a_wake_before_the_first_turn_is_taken_with_it(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, rest=None), standing(2, rest=None)])
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue, start_signal="wake")
        await wait_until(lambda: len(fake.asked) >= 1)
        await asyncio.sleep(0.5)
        await handle.terminate()
    assert fake.asked == [0]


async def test_a_wake_during_a_turn_asks_for_another(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, rest=None), standing(2, ended=True)])
    async with journey_workers(temporal_server, fake) as (client, queue):
        in_turn, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            in_turn.set()
            await go_on.wait()

        fake.pause = pause
        handle = await start(client, queue)
        await asyncio.wait_for(in_turn.wait(), 10)
        await handle.signal(JourneyRun.wake)
        go_on.set()
        await asyncio.wait_for(handle.result(), 10)


async def test_doubled_wakes_do_no_harm(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, "one", rest=None), *[standing(turn, rest=None) for turn in range(2, 20)]])
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        for _ in range(5):
            await handle.signal(JourneyRun.wake)
        await wait_until(lambda: bool(fake.delivered))
        await asyncio.sleep(0.5)
        await handle.terminate()
    assert fake.delivered == ["one"]


async def test_a_turn_that_fails_locally_is_taken_from_the_queue(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, ended=True)], local_fails=2)
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        await asyncio.wait_for(handle.result(), 15)
    assert fake.asked == [0, 0, 0]


async def test_what_is_not_delivered_locally_goes_to_the_provider_s_queue(
    temporal_server: TemporalServer,
) -> None:
    fake = FakeStore([standing(1, "one", ended=True)], deliver_locally=False)
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        await asyncio.wait_for(handle.result(), 15)
    assert fake.delivered == ["queue one"]


async def test_histories_stay_below_100_events_however_often_a_run_is_woken(
    temporal_server: TemporalServer,
) -> None:
    wakes = 40
    fake = FakeStore([standing(turn, rest=None) for turn in range(1, wakes * 2)])
    async with journey_workers(temporal_server, fake) as (client, queue):
        handle = await start(client, queue)
        for number in range(wakes):
            await wait_until(lambda number=number: len(fake.asked) > number)  # type: ignore[misc]
            await client.get_workflow_handle(handle.id).signal("wake")
        await wait_until(lambda: len(fake.asked) > wakes)
        lengths = [
            execution.history_length
            async for execution in client.list_workflows(f"WorkflowId = '{handle.id}'")
        ]
        described = await client.get_workflow_handle(handle.id).describe()
        await client.get_workflow_handle(handle.id).terminate()
    assert described.status == WorkflowExecutionStatus.RUNNING
    assert max(described.history_length, *lengths) < 100
    assert fake.asked == sorted(fake.asked)
