"""The run: makes sure that the next turn always comes. Holds no decision, so that releases never touch it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import FailureError

from dripline.wire import TURNS, AdvanceRequest, Delivery, RunRef, Standing

LONG = 40
"""Events of history after which a run goes on in a new one, once nothing is under way; after twice as many
it does so whatever is: the ledger gives open messages out again."""

FOR_EVER = RetryPolicy(maximum_interval=timedelta(minutes=1))
TWICE = RetryPolicy(maximum_attempts=2)
HERE = workflow.LocalActivityConfig(start_to_close_timeout=timedelta(seconds=5), retry_policy=TWICE)


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
                task = self._sending.get(delivery.message)
                if task is not None and task.get_name() != delivery.queue:
                    task.cancel()  # its provider was changed
                if task is None or task.cancelling():
                    task = asyncio.create_task(self._deliver(delivery), name=delivery.queue)
                self._sending[delivery.message] = task
            await self._rest(standing)
            if standing.ended and not (self._woken or self._sending):
                return
            length = workflow.info().get_current_history_length()
            if length > 2 * LONG or (length > LONG and not self._sending):
                workflow.continue_as_new(RunRef(self._run, seen))

    async def _advance(self, seen: int) -> Standing:
        ask = AdvanceRequest(self._run, seen, workflow.now().timestamp())
        try:
            standing = await workflow.execute_local_activity("advance", ask, result_type=Standing, **HERE)
        except FailureError:
            standing = await _queued("advance", ask, TURNS, Standing, Priority.default)
        return cast(Standing, standing)

    async def _deliver(self, delivery: Delivery) -> None:
        done, message = False, delivery.message
        priority = Priority(priority_key=delivery.priority, fairness_key=delivery.journey)
        with suppress(FailureError):
            if delivery.local:
                done = await workflow.execute_local_activity("deliver_now", message, **HERE)
        with suppress(FailureError):  # only where it was cancelled
            if not done:
                await _queued("deliver", message, delivery.queue, None, priority)
        if self._sending.get(message) is asyncio.current_task():
            del self._sending[message]

    async def _rest(self, at: Standing) -> None:
        """Until woken, or until the wait's end; a run that has ended, until nothing is left to deliver."""
        left = None if at.until is None else max(0.0, at.until - workflow.now().timestamp())
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._woken or (at.ended and not self._sending), timeout=left
            )


async def _queued(name: str, about: Any, queue: str, result: type | None, priority: Priority) -> Any:
    """An activity that any worker of the queue may take, tried until it succeeds."""
    return await workflow.execute_activity(
        name,
        about,
        task_queue=queue,
        result_type=result,
        priority=priority,
        start_to_close_timeout=timedelta(seconds=45),
        retry_policy=FOR_EVER,
    )
