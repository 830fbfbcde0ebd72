"""The waker: starts and signals what wants waking. A task beside the web process, and safe to run twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from threading import Lock

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from dripline.beside import beside
from dripline.clock import MachineClock, machine_clock
from dripline.store import campaigns, wakes
from dripline.store.database import Store
from dripline.store.house import open_house, set_temporal_id
from dripline.store.wakes import Wake
from dripline.waker.timetable import Timetable
from dripline.wire import JOURNEYS, SWEEP, CampaignRef, RunRef, campaign_workflow_id, workflow_id

log = structlog.get_logger(__name__)

BATCH = 128
CONCURRENCY = 16
"""Starts and signals under way at once: measured, more only adds latency."""
BEHIND = 0.5
"""Seconds for which the waker lets a batch of events go before it: what has come in is in the store, and can wait."""
POLL = 1.0
"""Seconds after which the store is looked at without a nudge: turns and sweeps want wakes, too."""
CHECK = 5.0
"""Seconds between checks that Temporal is still the one that knows our runs."""


class Waker:
    """Starts or signals the workflow of each run that wants waking; rebuilds all of them on a new Temporal."""

    def __init__(
        self, store: Store, client: Client, sweep_every: float = 300.0, clock: MachineClock = machine_clock
    ) -> None:
        self._store = store
        self._client = client
        self._sweep_every = sweep_every
        self._clock = clock
        self._nudged = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._checked = float("-inf")
        self._batches = 0
        self._count = Lock()
        self._timetable = Timetable(store, client)

    def nudge(self) -> None:
        """Say that rows want waking. From any thread, at any time."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._nudged.set)

    @contextmanager
    def stand_back(self) -> Iterator[None]:
        """While a batch of events is recorded, leave this process to it, within bounds. From any thread."""
        with self._count:
            self._batches += 1
        try:
            yield
        finally:
            with self._count:
                self._batches -= 1

    async def _after_batches(self) -> None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + BEHIND
        while self._batches and loop.time() < give_up:
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Waker]:
        """Run beside something else, for as long as that runs."""
        async with beside(self.run(), "waker"):
            yield self

    async def run(self) -> None:
        """Wake until cancelled; an outage of the store or of Temporal is waited out."""
        self._loop = asyncio.get_running_loop()
        while True:
            try:
                await self._check_temporal()
                while await self.wake_batch():
                    await self._check_temporal()
                await self.move_campaigns()
            except Exception as problem:  # whatever it is, runs must be woken when it is over
                log.warning("cannot wake runs now", error=type(problem).__name__)
                await asyncio.sleep(POLL)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), POLL)
            self._nudged.clear()

    async def wake_batch(self) -> int:
        """Wake what wants waking, a bounded batch of it; how many were woken."""
        await self._after_batches()
        batch = await asyncio.to_thread(self._wanted)
        if not batch:
            return 0
        limit = asyncio.Semaphore(CONCURRENCY)

        async def one(wake: Wake) -> Wake | RPCError:
            async with limit:
                try:
                    await self._wake(wake)
                except RPCError as problem:
                    return problem
                return wake

        results = await asyncio.gather(*(one(wake) for wake in batch))
        woken = [result for result in results if isinstance(result, Wake)]
        await asyncio.to_thread(self._done, woken)
        for failure in results:
            if isinstance(failure, RPCError):
                raise failure
        return len(woken)

    async def move_campaigns(self) -> int:
        """Start or wake the workflows of campaigns that want moving; how many."""
        wanted = await asyncio.to_thread(self._wanted_moves)
        for campaign_id, _ in wanted:
            await self._client.start_workflow(
                "Campaign",
                CampaignRef(campaign_id),
                id=campaign_workflow_id(campaign_id),
                task_queue=JOURNEYS,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="wake",
                rpc_timeout=timedelta(seconds=10),
            )
        if wanted:
            await asyncio.to_thread(self._moves_done, wanted)
        return len(wanted)

    def _wanted_moves(self) -> list[tuple[str, int]]:
        with self._store.read() as connection:
            return campaigns.wanted_moves(connection)

    def _moves_done(self, done: list[tuple[str, int]]) -> None:
        with self._store.write() as connection:
            campaigns.moves_done(connection, done)

    async def _wake(self, wake: Wake) -> None:
        await _start(self._client, wake)

    def _wanted(self) -> list[Wake]:
        with self._store.read() as connection:
            return wakes.wanted(connection, BATCH)

    def _done(self, woken: list[Wake]) -> None:
        with self._store.write() as connection:
            wakes.wakes_done(connection, woken)

    # -- a Temporal that has forgotten us --------------------------------------------------------------------

    async def _check_temporal(self) -> None:
        """Make sure of the sweep, and wake every open run if this Temporal has never seen them."""
        now = asyncio.get_running_loop().time()
        if now - self._checked < CHECK:
            return
        namespace = await self._client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=self._client.namespace), timeout=timedelta(seconds=5)
        )
        temporal_id = namespace.namespace_info.id
        if self._checked == float("-inf"):
            await ensure_sweep(self._client, self._sweep_every)
        if await asyncio.to_thread(self._known_temporal) != temporal_id:
            await ensure_sweep(self._client, self._sweep_every)
            count = await asyncio.to_thread(self._rebuild)
            await asyncio.to_thread(self._remember_temporal, temporal_id)
            log.info("this Temporal is new to the store: waking every open run", runs=count)
            self._timetable.forget()
        await self._timetable.keep(await asyncio.to_thread(self._timetable.wanted))
        self._checked = now

    def _known_temporal(self) -> str | None:
        with self._store.write() as connection:
            return open_house(connection).temporal_id

    def _remember_temporal(self, temporal_id: str) -> None:
        with self._store.write() as connection:
            set_temporal_id(connection, temporal_id)

    def _rebuild(self) -> int:
        with self._store.write() as connection:
            campaigns.want_all_moves(connection)
        count, last = 0, ""
        while True:
            with self._store.write() as connection:
                ids = wakes.want_all(connection, last, BATCH, self._clock())
            if not ids:
                return count
            count, last = count + len(ids), ids[-1]


async def _start(client: Client, wake: Wake) -> None:
    await client.start_workflow(
        "JourneyRun",
        RunRef(wake.run),
        id=workflow_id(wake.journey, wake.run),
        task_queue=JOURNEYS,
        static_summary=wake.journey,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=None if wake.first else "wake",
        rpc_timeout=timedelta(seconds=10),
    )


async def start_runs(client: Client, runs: Sequence[Wake]) -> list[Wake]:
    """Start the workflows of these runs; which were started. To the others the waker comes, in a moment."""
    done = await asyncio.gather(*(_start(client, one) for one in runs), return_exceptions=True)
    return [one for one, problem in zip(runs, done, strict=True) if problem is None]


async def ensure_sweep(client: Client, every: float) -> None:
    """Have the sweep scheduled every so many seconds, by whatever interval it was scheduled before."""
    action = ScheduleActionStartWorkflow("Sweep", id=SWEEP, task_queue=JOURNEYS)
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=every))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SWEEP, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SWEEP).update(lambda _found: ScheduleUpdate(schedule))
