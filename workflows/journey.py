"""The run: makes sure that the next turn always comes. Holds no decision, so that releases never touch it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import FailureError

from dripline.wire import TURNS, AdvanceRequest, Delivery, RunRef, Standing

LONG = 40
"""Events of history after which a run goes on in a new one, once nothing is under way."""
TOO_LONG = 75
"""Events after which it does so whatever is under way: the ledger gives open messages out again."""

FOR_EVER = RetryPolicy(maximum_interval=timedelta(minutes=1))
HERE = workflow.LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=2)
)


@workflow.defn(name="JourneyRun")
class JourneyRun:
    """One lead's way through one journey."""

    @workflow.init
    def __init__(self, ref: RunRef) -> None:
        self._run = ref.run
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
            standing = await self._advance(seen)
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
                workflow.continue_as_new(RunRef(self._run, seen))

    async def _advance(self, seen: int) -> Standing:
        ask = AdvanceRequest(self._run, seen, workflow.now().timestamp())
        try:
            standing = await workflow.execute_local_activity("advance", ask, result_type=Standing, **HERE)
        except FailureError:
            standing = await _queued("advance", ask, TURNS, Standing)
        return cast(Standing, standing)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            if not (delivery.local and await self._deliver_now(delivery.message)):
                priority = Priority(priority_key=delivery.priority, fairness_key=delivery.journey)
                await _queued("deliver", delivery.message, delivery.queue, None, priority)
        finally:
            del self._sending[delivery.message]

    async def _deliver_now(self, message: str) -> bool:
        try:
            return bool(await workflow.execute_local_activity("deliver_now", message, **HERE))
        except FailureError:
            return False

    async def _rest(self, until: float | None) -> None:
        seconds = None if until is None else max(0.0, until - workflow.now().timestamp())
        try:
            await workflow.wait_condition(lambda: self._woken, timeout=seconds)
        except TimeoutError:
            return


async def _queued(
    activity: str, argument: Any, queue: str, result: type | None, priority: Priority = Priority.default
) -> Any:
    """An activity that any worker of the queue may take, tried until it succeeds."""
    return await workflow.execute_activity(
        activity,
        argument,
        task_queue=queue,
        result_type=result,
        priority=priority,
        start_to_close_timeout=timedelta(seconds=45),
        retry_policy=FOR_EVER,
    )
