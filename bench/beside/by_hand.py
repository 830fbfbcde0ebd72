"""The worker of the journey written by hand: `python -m bench.beside.by_hand`, with `ordinary` as the SDK comes.

Its activity does what ours do for a message: policy (consent, suppression, the cap), the same rendering, the
same ledger row with a lease and an outcome, the same mailbox; in fewer transactions, for it is one activity.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import uvloop
from sqlalchemy import Connection
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.content import links_of, one_click
from activities.providers.mailbox import Mailbox
from bench.beside.workflow import ORDINARY, QUEUE, ByHand, Step
from bench.beside.working import work
from dripline.clock import machine_clock
from dripline.engine.calendar import zone_of
from dripline.engine.effects import QueueMessage
from dripline.engine.policy import refusal
from dripline.engine.scope import scope
from dripline.providers import Outgoing
from dripline.rendering import render
from dripline.store import messages, runs
from dripline.store.database import Store, lock_lead, lock_run
from dripline.store.house import open_house
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from worker import SENDS_AT_ONCE

CAP = 5
CAP_PERIOD = timedelta(days=7)
LEASE = 30.0
PUBLIC_URL = "http://127.0.0.1:8080"


class Sending:
    """The one activity."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._mailbox = Mailbox(store, "email")

    @activity.defn(name="send")
    def send(self, step: Step) -> None:
        """Put the message into the ledger and take it out to the mailbox."""
        with self._store.write() as connection:
            taken = self._claim(connection, step, machine_clock())
        if taken is None:
            return
        attempt, message = taken
        accepted = self._mailbox.send(message)
        now = machine_clock()
        with self._store.write() as connection:
            messages.write_outcome(
                connection, message.key, attempt, now, accepted_at=now, provider_id=accepted.provider_id
            )

    def _claim(self, connection: Connection, step: Step, now: datetime) -> tuple[str, Outgoing] | None:
        """Decide, render, and take the lease of a row that nobody has sent yet."""
        lead = lock_lead(connection, step.lead)
        run = lock_run(connection, step.run)
        assert lead is not None
        assert run is not None
        house = open_house(connection)
        address = house.address_hash("email", lead.email)
        reason: str | None = refusal(
            "email", "newsletter", False, facts(lead), runs.suppression(connection, "email", address), now
        )
        if reason is None and messages.count_toward_limit(connection, lead.id, now - CAP_PERIOD) >= CAP:
            reason = "limit"
        wanted = QueueMessage(step.template, 1, "email", step.template, "newsletter", False, {}, now)
        row = messages.queue(connection, run, wanted, now, now, skipped=reason)
        if row is None or row.state != "queued":
            return None
        plan = load_plan(connection, run.plan_hash)
        where = zone_of(lead.timezone, lead.country, plan.timezone)
        names = scope(plan, facts(lead), None, None, {}, now, where)
        links = links_of(row, house, PUBLIC_URL, now)
        rendered = render(plan, "email", step.template, lead.locale, names, links=links)
        sender = plan.senders["email"]
        content = messages.Content(
            locale=rendered.locale,
            recipient=lead.email,
            sender=sender.address,
            sender_name=sender.name,
            subject=rendered.subject,
            html=rendered.html,
            body=rendered.text,
        )
        attempt = messages.take_lease(connection, row.id, content, Mailbox.name, now, LEASE)
        return attempt, outgoing(row.id, content, one_click(row, house, PUBLIC_URL, now))


def outgoing(key: str, content: messages.Content, unsubscribe: str | None = None) -> Outgoing:
    """The message as the mailbox takes it."""
    return Outgoing(
        key=key,
        channel="email",
        to=content.recipient,
        sender=content.sender,
        sender_name=content.sender_name,
        subject=content.subject,
        html=content.html,
        text=content.body,
        status_callback=None,
        unsubscribe=unsubscribe,
    )


def build_worker(client: Client, store: Store) -> Worker:
    """With the settings of ours, where they apply."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[ByHand],
        activities=[Sending(store).send],
        activity_executor=ThreadPoolExecutor(SENDS_AT_ONCE),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=2000,
        max_concurrent_workflow_tasks=20,
        max_concurrent_activities=SENDS_AT_ONCE,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


def build_ordinary(client: Client, store: Store) -> Worker:
    """As the SDK comes: workflows in its sandbox, on asyncio's own loop. As many messages at once as ours."""
    return Worker(
        client,
        task_queue=ORDINARY,
        workflows=[ByHand],
        activities=[Sending(store).send],
        activity_executor=ThreadPoolExecutor(SENDS_AT_ONCE),
        max_concurrent_activities=SENDS_AT_ONCE,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["ordinary"]:
        asyncio.run(work(build_ordinary, "ordinary"))
    else:
        uvloop.run(work(build_worker, "by-hand"))
