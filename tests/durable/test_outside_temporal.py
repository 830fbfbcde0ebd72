"""A call to another system the whole way: real workflow, real workers, real waker, real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import Plan
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.waker import Waker
from tests.durable.house import House
from tests.durable.test_outside import EXTENSIONS, Other, asking, calling
from tests.temporal_server import TemporalServer
from worker import build_workers

pytestmark = pytest.mark.temporal


@pytest.fixture
def other() -> Iterator[Other]:
    other = Other()
    yield other
    other.server.shutdown()
    other.server.server_close()


async def live(
    store: Store, server: TemporalServer, folder: Path, journey: Plan, leave: bool = False
) -> tuple[str | None, str | None]:
    """How the run of a lead ends that enters the journey now (and leaves it as soon as it waits)."""
    settings = Settings(workspace=folder, http_timeout=2.0)
    workspace = Workspace.model_validate(
        {"timezone": "UTC", "locales": ["en"], "webhooks": {"allow_private": ["localhost"]}}
    )
    house = House(store, journey)
    client = await Client.connect(server.address)
    workers = build_workers(client, settings, store, workspace)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    waker = asyncio.create_task(Waker(store, client).run())
    try:
        [run] = house.happens("lead.created", machine_clock())
        give_up = time.monotonic() + 30
        while house.run(run).outcome is None:
            assert time.monotonic() < give_up, house.run(run)
            if leave and house.run(run).wait is not None:
                leave = False
                event = Event("bye", "lead-1", "lead.unsubscribed", {}, machine_clock())
                with store.write() as connection:
                    record(connection, event, machine_clock())
            await asyncio.sleep(0.1)
        return house.run(run).outcome, house.run(run).outcome_reason
    finally:
        waker.cancel()
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running, waker, return_exceptions=True)


async def test_a_webhook_is_called_and_its_answer_taken(
    store: Store, temporal_server: TemporalServer, other: Other, tmp_path: Path
) -> None:
    assert await live(store, temporal_server, tmp_path, asking(other.url)) == ("stopped", "good")
    assert len(other.requests) == 1


async def test_an_exit_ends_the_wait_for_an_answer_that_does_not_come(
    store: Store, temporal_server: TemporalServer, other: Other, tmp_path: Path
) -> None:
    other.answers = [(503, {"Retry-After": "600"}, b"")]
    began = time.monotonic()
    assert await live(store, temporal_server, tmp_path, asking(other.url), leave=True) == (
        "exit",
        "unsubscribed",
    )
    assert time.monotonic() - began < 20


async def test_a_function_of_the_workspace_is_called(
    store: Store, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    (tmp_path / "extensions.py").write_text(EXTENSIONS)
    assert await live(store, temporal_server, tmp_path, calling("rate", seats="{{ 3 }}")) == (
        "stopped",
        "good",
    )
