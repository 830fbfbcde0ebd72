"""The sweep: every so often, mend what a crash or an outage left behind."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn(name="Sweep")
class Sweep:
    """One pass over everything overdue, in bounded batches."""

    @workflow.run
    async def run(self) -> int:
        """How many rows were mended."""
        found: int = await workflow.execute_activity(
            "sweep",
            result_type=int,
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        return found
