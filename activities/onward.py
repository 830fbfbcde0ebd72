"""`advance` in the journeys' own worker: a turn, and at once the first attempt at the message that it queued.

The message's lease is taken in the turn's own transaction, for whoever commits the turn sends the message next.
So a message costs one transaction and one local activity less than by `deliver_now`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import replace
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import Connection, Row
from temporalio import activity

from activities.advance import Turns
from activities.deliver import LOCAL_LIMIT, Deliveries, Lease
from activities.failures import coded
from dripline.store.house import House
from dripline.wire import AdvanceRequest, Standing

PATIENCE = LOCAL_LIMIT
"""Seconds for which the answer to a turn waits for its message to be taken; then the provider's queue waits for it."""


class Onward:
    """Takes turns in `threads`, of which `at_once` at most are lent to first attempts: a slow provider has no more."""

    def __init__(self, turns: Turns, deliveries: Deliveries, threads: Executor, at_once: int) -> None:
        self._turns = turns
        self._deliveries = deliveries
        self._threads = threads
        self._free = BoundedSemaphore(at_once)

    @activity.defn(name="advance")
    async def advance(self, request: AdvanceRequest) -> Standing:
        """As `Turns.advance`, but what has been sent meanwhile is not to be delivered any more.

        The thread goes on even when nobody waits any longer: turn, lease and outcome are in the store.
        """
        under_way = _UnderWay()
        job = asyncio.get_running_loop().run_in_executor(self._threads, self._go, request, under_way)
        job.add_done_callback(_looked_at)
        await asyncio.wait([job], timeout=PATIENCE)
        while not job.done() and under_way.standing is None:  # it is the turn that takes long
            await asyncio.wait([job], timeout=0.1)
        return under_way.standing if under_way.standing and not job.done() else job.result()

    @coded
    def _go(self, request: AdvanceRequest, under_way: _UnderWay) -> Standing:
        attempt = _FirstAttempt(self._deliveries, self._free)
        with attempt:
            standing = self._turns.take(request, attempt.claim)
            if attempt.lease is None:
                return standing
            key = attempt.lease.message.key
            under_way.standing = _queued(standing, key)
            return (
                _without(standing, key) if self._deliveries.send_ahead(attempt.lease) else under_way.standing
            )


class _UnderWay:
    """Where the run is, as soon as its turn is in the store; its message may still be on its way."""

    standing: Standing | None = None


class _FirstAttempt:
    """The first message of a turn, if a thread may be lent to it; whatever else the turn queues goes the usual way."""

    def __init__(self, deliveries: Deliveries, free: BoundedSemaphore) -> None:
        self._deliveries = deliveries
        self._free = free
        self._lent = False
        self.lease: Lease | None = None

    def claim(self, connection: Connection, house: House, message: Row[Any], lead: Row[Any]) -> None:
        self._lent = self._lent or self._free.acquire(blocking=False)
        if self._lent and self.lease is None:
            self.lease = self._deliveries.lease_ahead(connection, house, message, lead)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._lent:
            self._free.release()


def _queued(standing: Standing, key: str) -> Standing:
    """The message is left to its provider's queue, where its next attempt waits for the end of this one."""
    deliver = [replace(one, local=False) if one.message == key else one for one in standing.deliver]
    return replace(standing, deliver=deliver)


def _without(standing: Standing, key: str) -> Standing:
    return replace(standing, deliver=[one for one in standing.deliver if one.message != key])


def _looked_at(job: asyncio.Future[Standing]) -> None:
    """So that nothing is said of a failure for which nobody waits any more: it stands in the log already."""
    if not job.cancelled():
        job.exception()
