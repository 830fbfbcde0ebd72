"""At low load: from an event to the message that it sets going, and how late timers are."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from temporalio.client import Client

from bench.asking import Tell, mailed, resting, start_beside, still_open, until
from bench.crowd import Caller, Crowd, Lead
from bench.programs import Installation
from dripline.store.schema import messages
from dripline.wire import workflow_id

EVERY = 0.2
"""Seconds from one event to the next: a load that leaves the machine idle most of the time."""
LONG = 30 * 86400.0


@dataclass(frozen=True)
class Times:
    """A distribution, in milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int


def times(seconds: Sequence[float]) -> Times:
    """The distribution of some lengths of time."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return Times(cuts[49] * 1e3, cuts[94] * 1e3, cuts[98] * 1e3, len(seconds))


def event_to_message(at: Installation, crowd: Crowd, count: int, tell: Tell) -> tuple[Times, Times]:
    """Ours and the one by hand, in turns: from before the event is said until its message is accepted."""
    ours, theirs = crowd.take(count), crowd.take(count)
    mails = mailed(at)
    caller = Caller(at.web_port)
    caller.say_in_batches("bench.waits", ours)
    start_beside(at, "by-hand", theirs, LONG)
    until(lambda: mailed(at) >= mails + 2 * count and resting(at, "answer") >= count)
    time.sleep(1.0)
    said = asyncio.run(_say(at, caller, ours, theirs, tell))
    until(lambda: mailed(at) >= mails + 4 * count)
    time.sleep(0.3)
    reached = accepted(at, "offer")
    return (
        times([reached[lead.id] - said[lead.id] for lead in ours]),
        times([reached[lead.id] - said[lead.id] for lead in theirs]),
    )


async def _say(
    at: Installation, caller: Caller, ours: Sequence[Lead], theirs: Sequence[Lead], tell: Tell
) -> dict[str, float]:
    client = await Client.connect(at.address)
    said: dict[str, float] = {}
    for number, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        said[our.id] = time.time()
        await asyncio.to_thread(caller.say, "bench.answered", our, score=7)
        await asyncio.sleep(EVERY)
        said[their.id] = time.time()
        await client.get_workflow_handle(workflow_id("by-hand", their.id)).signal("answer")
        await asyncio.sleep(EVERY)
        tell((number + 1) / len(ours))
    return said


def lateness(at: Installation, crowd: Crowd, count: int, tell: Tell) -> Times:
    """From the end of a wait to the moment at which its message is taken out."""
    leads = crowd.take(count)
    caller = Caller(at.web_port)
    for number, lead in enumerate(leads):
        caller.say("bench.started", lead)
        tell((number + 1) / count)
        time.sleep(EVERY)
    until(lambda: not still_open(at, "burst"))
    time.sleep(0.3)
    with at.store.read() as connection:
        rows = connection.execute(
            select(messages.c.lead_id, messages.c.queued_at, messages.c.attempted_at).where(
                messages.c.template == "bench/offer", messages.c.lead_id.in_([lead.id for lead in leads])
            )
        ).all()
    return times([(row.attempted_at - row.queued_at).total_seconds() for row in rows])


def accepted(at: Installation, template: str) -> dict[str, float]:
    """By lead, when its message of that template was accepted, in seconds since the epoch."""
    query = select(messages.c.lead_id, messages.c.accepted_at).where(
        messages.c.template == f"bench/{template}", messages.c.accepted_at.is_not(None)
    )
    with at.store.read() as connection:
        return {row.lead_id: _seconds(row.accepted_at) for row in connection.execute(query)}


def _seconds(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()
