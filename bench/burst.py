"""A burst: many leads enter a journey of two messages and one wait at once; how fast, at what price."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

from temporalio.client import Client

from bench.asking import Histories, Starter, Tell, histories, mailed, run_ids, still_open, until
from bench.beside import WAIT
from bench.crowd import Caller, Crowd, Lead
from bench.machine import busy_seconds
from bench.programs import Installation
from dripline.wire import workflow_id

BY_HAND = ("by-hand", "ordinary")
"""The contenders that keep no runs of their own in the store."""

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


@dataclass(frozen=True)
class _Moment:
    at: float
    server: float
    worker: float
    web: float
    everything: float
    bench: float

    def __sub__(self, before: _Moment) -> _Moment:
        return _Moment(*(getattr(self, one.name) - getattr(before, one.name) for one in fields(_Moment)))


def burst(at: Installation, crowd: Crowd, kind: str, count: int, tell: Tell) -> Burst:
    """One burst of one contender (see `KINDS`). While all runs wait, nothing is counted."""
    leads = crowd.take(count)
    workers = {"dripline": at.worker, "by-hand": at.by_hand, "ordinary": at.ordinary, "shell": at.shell}
    worker = workers[kind]
    time.sleep(0.5)  # whatever is still written of the part before

    def look() -> _Moment:
        spent = (at.server.cpu(), worker.cpu(), at.web.cpu(), busy_seconds(), time.process_time())
        return _Moment(time.monotonic(), *spent)

    caller, starter = Caller(at.web_port), None if kind == "dripline" else Starter(at)
    mails, began = mailed(at), look()
    pause = _Pause(count, look)

    def done() -> bool:
        sent = mailed(at) - mails
        pause.notice(sent)
        tell(sent / (2 * count))
        return sent >= 2 * count and (kind in BY_HAND or not still_open(at, _journey(kind)))

    with ThreadPoolExecutor(1) as beside:
        starting = beside.submit(_start, kind, leads, starter or caller)
        until(done, every=0.05)
    ended = time.monotonic()

    time.sleep(0.7)  # the last histories are closed
    spent = look() - began - pause.length()
    web = starting.result() or spent.web
    ours = spent.server + spent.worker + web + spent.bench
    read = asyncio.run(_histories(at, kind, leads[:: max(1, count // LOOKED_AT)]))
    seconds = ended - began.at - pause.length().at
    return Burst(count, seconds, spent.server, spent.worker, web, max(0.0, spent.everything - ours), read)


def _start(kind: str, leads: Sequence[Lead], way: Caller | Starter) -> float:
    """Let the leads in; the seconds of CPU that a program of its own took for it."""
    if isinstance(way, Starter):
        return way.start(kind, leads, WAIT)
    way.say_in_batches("bench.started", leads)
    return 0.0


class _Pause:
    """The time in which all runs of a burst wait, between the last first message and the first second one."""

    SETTLING = 0.5

    def __init__(self, count: int, look: Callable[[], _Moment]) -> None:
        self._count, self._look = count, look
        self._reached: float | None = None
        self._began: _Moment | None = None
        self._ended: _Moment | None = None

    def notice(self, sent: int) -> None:
        now = time.monotonic()
        if sent >= self._count and self._reached is None:
            self._reached = now
        if sent == self._count and self._began is None and now - (self._reached or now) > self.SETTLING:
            self._began = self._look()
        if sent > self._count and self._began is not None and self._ended is None:
            self._ended = self._look()

    def length(self) -> _Moment:
        """What it took, of time and of everything; nothing where the two halves ran into one another."""
        if self._began is None or self._ended is None:
            return _Moment(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        return self._ended - self._began


def _journey(kind: str) -> str:
    return "burst" if kind == "dripline" else kind


async def _histories(at: Installation, kind: str, leads: Sequence[Lead]) -> Histories:
    client = await Client.connect(at.address)
    if kind == "dripline":
        names = [workflow_id("burst", run) for run in run_ids(at, "burst", leads)]
    else:
        names = [workflow_id(kind, lead.id) for lead in leads]
    return await histories(client, names)
