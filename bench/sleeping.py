"""Runs that sleep: what each costs on disk and in memory, and how soon one reacts after its worker was killed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from temporalio.client import Client

from bench.asking import Tell, mailed, resting, start_beside, until
from bench.crowd import Caller, Crowd
from bench.latency import LONG
from bench.machine import file_bytes
from bench.programs import Installation
from dripline.wire import workflow_id


@dataclass(frozen=True)
class Sleep:
    """Bytes for each sleeping run."""

    runs: int
    server_file: float
    store: float
    server_memory: float
    worker_memory: float


def sleeping(at: Installation, crowd: Crowd, kind: str, count: int, tell: Tell) -> Sleep:
    """Let so many runs fall asleep, after a first message, and weigh them. The leads themselves weigh nothing."""
    leads = crowd.take(count)
    worker = at.worker if kind == "dripline" else at.by_hand
    mails = mailed(at)
    time.sleep(0.5)

    def weigh() -> list[int]:
        files = [file_bytes(at.temporal_file), file_bytes(at.store_file)]
        return [*files, at.server.memory(), worker.memory()]

    before = weigh()
    if kind == "dripline":
        rested = resting(at, "answer")
        Caller(at.web_port).say_in_batches("bench.waits", leads)
    else:
        start_beside(at, kind, leads, LONG)

    def asleep() -> bool:
        gone = mailed(at) - mails
        tell(gone / count)
        return gone >= count and (kind == "by-hand" or resting(at, "answer") >= rested + count)

    until(asleep, patience=600)
    time.sleep(1.0)
    weights = [(after - first) / count for first, after in zip(before, weigh(), strict=True)]
    return Sleep(count, *weights)


def after_restart(at: Installation, crowd: Crowd, kind: str, count: int, tell: Tell) -> list[float]:
    """Seconds from the kill -9 of a worker, started again at once, to the message of an event said meanwhile."""
    leads = crowd.take(count)
    worker = at.worker if kind == "dripline" else at.by_hand
    caller = Caller(at.web_port)
    mails = mailed(at)
    if kind == "dripline":
        caller.say_in_batches("bench.waits", leads)
    else:
        start_beside(at, kind, leads, LONG)
    until(lambda: mailed(at) >= mails + count)
    reactions = []
    for number, lead in enumerate(leads):
        time.sleep(1.0)
        mails = mailed(at)
        worker.kill()
        killed = time.monotonic()
        worker.start()
        if kind == "dripline":
            caller.say("bench.answered", lead, score=7)
        else:
            asyncio.run(_signal(at, lead.id))
        until(lambda mails=mails: mailed(at) > mails, every=0.02)  # type: ignore[misc]
        reactions.append(time.monotonic() - killed)
        tell((number + 1) / count)
    return reactions


async def _signal(at: Installation, lead: str) -> None:
    client = await Client.connect(at.address)
    await client.get_workflow_handle(workflow_id("by-hand", lead)).signal("answer")
