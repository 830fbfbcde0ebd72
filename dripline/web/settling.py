"""Beside the web process: tells who brought a friend what became of it, and rewards it, as soon as it is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from dripline.beside import beside
from dripline.ingest.referring.service import Referring

LOOK = 2.0
"""Seconds between two looks: one indexed query while there is nothing to do."""
MOST, SECONDS = 200, 5.0
"""Referrals that one look takes, and for how long."""

_log = structlog.get_logger(__name__)


class Settler:
    """Does what is due of referrals. The sweep does the same where no web process runs."""

    def __init__(self, referring: Referring) -> None:
        self._referring = referring

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Settler]:
        """Settle beside something else, for as long as that runs."""
        async with beside(self._run(), "settler"):
            yield self

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._referring.settle_due, MOST, SECONDS)
            except Exception as problem:  # whatever it is, what is due must be done when it is over
                _log.warning("cannot settle referrals now", error=type(problem).__name__)
            await asyncio.sleep(LOOK)


__all__ = ["Settler"]
