"""Everything that we stand on goes away for a while, and all goes on by itself when it is back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from dripline.store.database import Store
from dripline.store.migrate import migrate
from tests.crash.account import take_account
from tests.crash.people import Person, live, people
from tests.crash.stack import Stack
from tests.crash.storm import SETTINGS, say, wait_until_quiet
from tests.postgres import PostgresServer
from tests.sink import Sink, Webhooks

LONG = os.environ.get("DRIPLINE_CRASH_TEST") == "long"
DATABASE_AWAY, PROVIDER_AWAY, COUNT = (60.0, 600.0, 200) if LONG else (8.0, 15.0, 30)
"""Seconds and leads."""

pytestmark = [pytest.mark.crash, pytest.mark.temporal, pytest.mark.timeout(1800)]

Outage = Callable[[float], None]


@contextmanager
def sqlite_store(folder: Path) -> Iterator[tuple[str, Outage]]:
    """A file, and a way to keep everybody else out of it: another program's exclusive lock."""
    path = folder / "dripline.db"

    def away(seconds: float) -> None:
        with sqlite3.connect(path, timeout=30, isolation_level=None) as greedy:
            greedy.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            greedy.execute("ROLLBACK")

    yield f"sqlite:///{path}", away


@contextmanager
def postgres_store(folder: Path) -> Iterator[tuple[str, Outage]]:
    """A server of the test's own, which is stopped at once and started again."""
    server = PostgresServer()
    server.start()

    def away(seconds: float) -> None:
        server.stop()
        time.sleep(seconds)
        server.start()

    try:
        yield server.create("outages"), away
    finally:
        server.remove()


@pytest.mark.parametrize(
    "kind",
    [sqlite_store, pytest.param(postgres_store, marks=pytest.mark.postgres)],
    ids=["sqlite", "postgres"],
)
def test_all_goes_on_by_itself_after_the_database_the_provider_and_temporal_were_away(
    kind: Callable[[Path], object], tmp_path: Path
) -> None:
    with kind(tmp_path) as (url, database_away):  # type: ignore[attr-defined]
        store = Store(url)
        migrate(store)
        store.close()
        everyone = people(COUNT, seed=5)
        with Sink() as sink, Stack(tmp_path, url, sink, settings=SETTINGS) as stack:
            sink.webhooks = Webhooks(sendgrid_url=f"{stack.url}/webhooks/sendgrid")
            coming = arrive(stack, everyone, seconds=DATABASE_AWAY)
            time.sleep(2)
            database_away(DATABASE_AWAY)
            coming.join()
            say("the database is back")
            sink.close_listener()
            time.sleep(PROVIDER_AWAY)
            sink.reopen()
            say("the providers are back")
            before = asyncio.run(longest_history(stack))
            stack.temporal.kill()
            stack.temporal.delete_file()
            say("Temporal has forgotten everything")
            late = [Person(person.number + COUNT, person.name, person.fate) for person in everyone[:20]]
            arrive(stack, late, seconds=2).join()
            wait_until_quiet(stack, patience=180)
            sink.settle(60)
            account = take_account(stack.store, sink, everyone + late)
            after = asyncio.run(longest_history(stack))
            say(f"{account}; longest histories {before} and {after} events")
    assert not account.doubled
    assert not account.lost
    assert not account.unknown
    assert not account.wrong
    assert not account.held
    assert max(before, after) < 100


def arrive(stack: Stack, everyone: list[Person], seconds: float) -> threading.Thread:
    """Let people come in the background; whoever is turned away tries again."""

    def come() -> None:
        for _ in live(stack.url, everyone, seconds, patience=DATABASE_AWAY * 3):
            pass

    thread = threading.Thread(target=come, name="people")
    thread.start()
    return thread


async def longest_history(stack: Stack) -> int:
    """The number of events of the longest history that Temporal knows."""
    client = await Client.connect(stack.temporal.address)
    lengths = [one.history_length async for one in client.list_workflows("WorkflowType = 'JourneyRun'")]
    return max(lengths, default=0)
