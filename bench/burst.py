"""A burst: many leads enter a journey of two messages and one wait at once; how fast, at what price."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.client import Client

from bench.asking import Histories, Tell, histories, mailed, run_ids, start_beside, still_open, until
from bench.crowd import Caller, Crowd, Lead
from bench.machine import busy_seconds
from bench.programs import Installation
from dripline.wire import workflow_id

WAIT = 2.0
"""Seconds between the two messages."""
LOOKED_AT = 60
"""Histories that are read of each burst."""


@dataclass(frozen=True)
class Burst:
    """What one burst came to. CPU is in seconds, of all its runs together."""

    runs: int
    seconds: float
    server: float
    worker: float
    web: float
    """Our web process, or the program that started the workflows."""
    others: float
    """What everything else on the machine spent meanwhile."""
    histories: Histories

    @property
    def cpu(self) -> float:
        return self.server + self.worker + self.web


@dataclass
class Bursts:
    """The bursts of one contender."""

    all: list[Burst] = field(default_factory=list)


def burst(at: Installation, crowd: Crowd, kind: str, count: int, tell: Tell) -> Burst:
    """One burst of one contender: `dripline`, `by-hand` or `shell`."""
    leads = crowd.take(count)
    worker = {"dripline": at.worker, "by-hand": at.by_hand, "shell": at.shell}[kind]
    time.sleep(0.5)  # whatever is still written of the part before
    mails = mailed(at)
    spent = (at.server.cpu(), worker.cpu(), at.web.cpu(), busy_seconds(), time.process_time())
    began = time.monotonic()
    starting = 0.0
    if kind == "dripline":
        Caller(at.web_port).say_in_batches("bench.started", leads)
    else:
        starting = start_beside(at, kind, leads, WAIT)

    def done() -> bool:
        sent = mailed(at) - mails
        tell(sent / (2 * count))
        return sent >= 2 * count and (kind == "by-hand" or not still_open(at, _journey(kind)))

    until(done)
    seconds = time.monotonic() - began
    time.sleep(0.7)  # the last histories are closed
    server, mine = at.server.cpu() - spent[0], worker.cpu() - spent[1]
    web = at.web.cpu() - spent[2] if kind == "dripline" else starting
    ours = server + mine + web + time.process_time() - spent[4]
    read = asyncio.run(_histories(at, kind, leads[:: max(1, count // LOOKED_AT)]))
    return Burst(count, seconds, server, mine, web, max(0.0, busy_seconds() - spent[3] - ours), read)


def _journey(kind: str) -> str:
    return "burst" if kind == "dripline" else kind


async def _histories(at: Installation, kind: str, leads: Sequence[Lead]) -> Histories:
    client = await Client.connect(at.address)
    if kind == "dripline":
        names = [workflow_id("burst", run) for run in run_ids(at, "burst", leads)]
    else:
        names = [workflow_id(kind, lead.id) for lead in leads]
    return await histories(client, names)
