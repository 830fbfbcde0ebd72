"""How a contender's worker runs: over the same store, in the same Temporal, until it is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from dripline.logs import configure_logs
from dripline.settings import Settings
from dripline.stack.connection import connect
from dripline.store.database import Store
from worker import SENDS_AT_ONCE, TURNS_AT_ONCE


async def work(build: Callable[[Client, Store], Worker], name: str) -> None:
    """Work for ever."""
    settings = Settings()
    configure_logs(settings.log_level, settings.log_format, name)
    store = Store(settings.store_url(), pool_size=TURNS_AT_ONCE + 2 * SENDS_AT_ONCE + 8)
    async with build(await connect(), store):
        structlog.get_logger(name).info("working")
        await asyncio.Event().wait()
