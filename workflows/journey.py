"""The run: makes sure that the next turn always comes. Holds no decision, so that releases never touch it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import FailureError

from dripline.wire import TURNS, AdvanceRequest, Delivery, RunRef, Standing

LONG = 40
"""Events of history after which a run goes on in a new one, once nothing is under way."""
TOO_LONG = 75
"""Events after which it does so whatever is under way: the ledger gives open messages out again."""


@workflow.defn(name="JourneyRun")
class JourneyRun:
    """One lead's way through one journey."""

    @workflow.init
    def __init__(self, ref: RunRef) -> None:
        self._woken = False
        self._sending: dict[str, asyncio.Task[None]] = {}

    @workflow.signal
    def wake(self) -> None:
        """Something happened: ask again. Doubled, lost or late ones do no harm."""
        self._woken = True

    @workflow.run
    async def run(self, ref: RunRef) -> None:
        """Ask for a turn, deliver, rest; until the run has ended and nothing is left to deliver."""
        seen = ref.seen
        while True:
            self._woken = False
            standing = await self._advance(ref.run, seen)
            seen = standing.turn
            workflow.set_current_details(f"{standing.step or '-'}, turn {seen}")
            for delivery in standing.deliver:
                if delivery.message not in self._sending:
                    self._sending[delivery.message] = asyncio.create_task(self._deliver(delivery))
            if standing.ended:
                return await workflow.wait_condition(lambda: not self._sending)
            await self._rest(standing.until)
            length = workflow.info().get_current_history_length()
            if length > TOO_LONG or (length > LONG and not self._sending):
                workflow.continue_as_new(RunRef(ref.run, seen))

    async def _advance(self, run: str, seen: int) -> Standing:
        request = AdvanceRequest(run, seen, workflow.now().timestamp())
        standing: Standing
        try:
            standing = await workflow.execute_local_activity(
                "advance",
                request,
                result_type=Standing,
                start_to_close_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=200)),
            )
        except FailureError:
            standing = await workflow.execute_activity(
                "advance",
                request,
                result_type=Standing,
                task_queue=TURNS,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            )
        return standing

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            if not (delivery.local and await self._deliver_now(delivery.message)):
                await workflow.execute_activity(
                    "deliver",
                    delivery.message,
                    task_queue=delivery.queue,
                    start_to_close_timeout=timedelta(minutes=2),
                    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
                    priority=Priority(priority_key=delivery.priority, fairness_key=delivery.journey),
                )
        finally:
            del self._sending[delivery.message]

    async def _deliver_now(self, message: str) -> bool:
        try:
            done: bool = await workflow.execute_local_activity(
                "deliver_now",
                message,
                result_type=bool,
                start_to_close_timeout=timedelta(seconds=3),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except FailureError:
            done = False
        return done

    async def _rest(self, until: float | None) -> None:
        seconds = None if until is None else max(0.0, until - workflow.now().timestamp())
        try:
            await workflow.wait_condition(lambda: self._woken, timeout=seconds)
        except TimeoutError:
            return
