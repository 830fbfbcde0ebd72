"""The bare shell: our workflow and our ledger with no plan, no policy, no rendering: `python -m bench.beside.shell`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import uvloop
from sqlalchemy import update
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.providers.mailbox import Mailbox
from bench.beside import WAIT
from bench.beside.by_hand import LEASE, outgoing
from bench.beside.working import work
from dripline.clock import machine_clock
from dripline.engine.effects import QueueMessage
from dripline.store import messages
from dripline.store.database import Store, lock_run
from dripline.store.schema import runs
from dripline.wire import AdvanceRequest, Standing
from worker import FIRST_ATTEMPTS_AT_ONCE, TURNS_AT_ONCE
from workflows.journey import JourneyRun

QUEUE = "shell"
CONTENT = messages.Content("en", "lead@example.com", "hello@example.com", None, "Hello", None, "Hello")
TEMPLATES = ("bench/hello", "bench/offer")


class Shell:
    """A turn that only queues the next message, leases it, and sends it at once, as ours do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._mailbox = Mailbox(store, "email")

    @activity.defn(name="advance")
    def advance(self, request: AdvanceRequest) -> Standing:
        """The next of the two messages, if `seen` is where the run is: turn and lease, mailbox, outcome."""
        now = datetime.fromtimestamp(request.now, tz=UTC)
        with self._store.write() as connection:
            run = lock_run(connection, request.run)
            if run is None or run.ended_at is not None or run.turn != request.seen:
                return Standing(
                    turn=run.turn if run else request.seen, ended=run is None or bool(run.ended_at)
                )
            last = run.turn == len(TEMPLATES) - 1
            template = TEMPLATES[run.turn]
            wanted = QueueMessage(template, 1, "email", template, None, False, {}, now)
            row = messages.queue(connection, run, wanted, now, machine_clock())
            assert row is not None
            attempt = messages.take_lease(connection, row.id, CONTENT, Mailbox.name, now, LEASE)
            until = None if last else now + timedelta(seconds=WAIT)
            connection.execute(
                update(runs)
                .where(runs.c.id == run.id)
                .values(turn=run.turn + 1, step=template, until=until, ended_at=now if last else None)
            )
        self._mailbox.send(outgoing(row.id, CONTENT))
        with self._store.write() as connection:
            messages.write_outcome(connection, row.id, attempt, now, accepted_at=machine_clock())
        return Standing(run.turn + 1, last, until.timestamp() if until else None, template, [])


def build_worker(client: Client, store: Store) -> Worker:
    """With the settings of our journeys' worker."""
    shell = Shell(store)
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[JourneyRun],
        activities=[shell.advance],
        activity_executor=ThreadPoolExecutor(TURNS_AT_ONCE + FIRST_ATTEMPTS_AT_ONCE),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=2000,
        max_concurrent_workflow_tasks=20,
        max_concurrent_local_activities=32,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


if __name__ == "__main__":
    uvloop.run(work(build_worker, "shell"))
