"""A journey that is paused with its clock, the whole way: real workflow, real worker, real waker."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from temporalio.client import Client

from dripline.clock import machine_clock
from dripline.language.workspace import Workspace
from dripline.publishing.thawing import follow_one
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.freezing import behind, freeze, thaw
from dripline.store.plans import set_paused
from dripline.waker import Waker
from tests.durable.house import House
from tests.durable.test_publishing import resting, until
from tests.temporal_server import TemporalServer
from worker import build_workers

pytestmark = pytest.mark.temporal


async def test_a_run_asleep_on_temporal_waits_out_the_pause_and_the_rest_of_its_wait(
    store: Store, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    workspace = Workspace.model_validate({"timezone": "UTC", "locales": ["en"]})
    house = House(store, resting(days=0, seconds=6))
    client = await Client.connect(temporal_server.address)
    workers = build_workers(client, Settings(workspace=tmp_path), store, workspace)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    waker = asyncio.create_task(Waker(store, client).run())
    try:
        [run] = house.happens("lead.created", machine_clock())
        await until(lambda: house.run(run).wait is not None)
        due = house.run(run).until
        await asyncio.to_thread(_pause, store)
        while machine_clock() < due:
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)  # its workflow has asked by now, and was told to rest
        assert house.run(run).ended_at is None
        resumed = time.monotonic()
        await asyncio.to_thread(_resume, store)
        await until(lambda: house.run(run).outcome == "finished")
        assert time.monotonic() - resumed > 1, "the rest of its wait"
    finally:
        waker.cancel()
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running, waker, return_exceptions=True)
    assert [row.template for row in house.messages()] == ["hello", "offer"]


def _pause(store: Store) -> None:
    with store.write() as connection:
        assert set_paused(connection, "welcome", machine_clock(), "a test")
        assert freeze(connection, "welcome", machine_clock())


def _resume(store: Store) -> None:
    with store.write() as connection:
        set_paused(connection, "welcome", None, None)
        assert thaw(connection, "welcome", machine_clock())
    with store.read() as connection:
        [run] = behind(connection, 10)
    assert follow_one(store, run, machine_clock)
