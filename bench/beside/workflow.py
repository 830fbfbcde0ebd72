"""The journey as an ordinary Temporal workflow: an activity a step, a wait, a signal that ends it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

QUEUE = "by-hand"
ORDINARY = "ordinary"
"""The queue of the same, worked on with the SDK's own settings."""
FOR_EVER = RetryPolicy(maximum_interval=timedelta(minutes=1))


@dataclass(frozen=True)
class Way:
    """Argument of the workflow: whose way it is, and how long its wait is (seconds)."""

    run: str
    lead: str
    wait: float


@dataclass(frozen=True)
class Step:
    """Argument of the activity `send`."""

    run: str
    lead: str
    template: str


@workflow.defn(name="ByHand")
class ByHand:
    """A message, a wait that an answer ends, a message."""

    @workflow.init
    def __init__(self, way: Way) -> None:
        self._answered = False

    @workflow.signal
    def answer(self) -> None:
        """The lead has answered."""
        self._answered = True

    @workflow.run
    async def run(self, way: Way) -> None:
        """Walk it."""
        await self._send(way, "bench/hello")
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._answered, timeout=way.wait)
        await self._send(way, "bench/offer")

    async def _send(self, way: Way, template: str) -> None:
        await workflow.execute_activity(
            "send",
            Step(way.run, way.lead, template),
            start_to_close_timeout=timedelta(seconds=45),
            retry_policy=FOR_EVER,
        )
