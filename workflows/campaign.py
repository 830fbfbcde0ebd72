"""The campaign: makes sure that it is always moved on. Holds no decision, as the run's workflow does not."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

from dripline.wire import CAMPAIGNS, CampaignRef, CampaignStanding

LONG = 500
"""Events of history after which it goes on in a new one."""
FOR_EVER = RetryPolicy(maximum_interval=timedelta(minutes=1))
LAST = Priority(priority_key=5)
"""Events, turns and messages go before it."""


@workflow.defn(name="Campaign")
class Campaign:
    """An audience on its way into a journey."""

    @workflow.init
    def __init__(self, ref: CampaignRef) -> None:
        self._woken = False

    @workflow.signal
    def wake(self) -> None:
        """It was resumed, or its pace changed: move it now. Doubled, lost or late ones do no harm."""
        self._woken = True

    @workflow.run
    async def run(self, ref: CampaignRef) -> None:
        """Move it, rest, and again; until it is over, or stands still until somebody resumes it."""
        while True:
            self._woken = False
            at: CampaignStanding = await workflow.execute_activity(
                "move_campaign",
                ref,
                task_queue=CAMPAIGNS,
                result_type=CampaignStanding,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=FOR_EVER,
                priority=LAST,
            )
            if at.over:
                if not self._woken:
                    return
                continue
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._woken, timeout=max(0.01, at.rest))
            if workflow.info().get_current_history_length() > LONG:
                workflow.continue_as_new(ref)


@workflow.defn(name="Occasion")
class Occasion:
    """A schedule has come round: let its journey's campaign be started."""

    @workflow.run
    async def run(self) -> int:
        """How many campaigns were started."""
        started: int = await workflow.execute_activity(
            "start_occasions",
            task_queue=CAMPAIGNS,
            result_type=int,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=5),
            priority=LAST,
        )
        return started
