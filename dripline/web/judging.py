"""Beside the web process: decides, a few seconds late, which opens and clicks were people's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from dripline.beside import beside
from dripline.clock import MachineClock
from dripline.ingest.hits import settle
from dripline.store.database import Store

_log = structlog.get_logger(__name__)

_LOOK = 60.0
"""Seconds after which it looks by itself: for what another process, or this one before its restart, has left."""
_LEAST = 0.5
"""Seconds between two rounds, so that those who come one by one are decided together."""


class Judge:
    """Settles what is undecided as soon as its time has come."""

    def __init__(
        self, store: Store, secret: str | None, machine: MachineClock, nudge: Callable[[], None]
    ) -> None:
        self._store, self._secret, self._machine, self._nudge = store, secret, machine, nudge
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def call(self) -> None:
        """Say that something is to be decided later. From any thread, at any time."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wanted.set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Judge]:
        """Judge beside something else, for as long as that runs."""
        self._loop = asyncio.get_running_loop()
        async with beside(self._run(), "judge"):
            yield self

    async def _run(self) -> None:
        while True:
            left: float | None = None
            try:
                left = await asyncio.to_thread(settle, self._store, self._secret, self._machine)
                self._nudge()
            except Exception as problem:  # whatever it is, what people did must count when it is over
                _log.warning("cannot tell people from machines now", error=type(problem).__name__)
            if left is not None:
                await asyncio.sleep(max(left, _LEAST))
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _LOOK)
            self._wanted.clear()


__all__ = ["Judge"]
