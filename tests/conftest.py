"""What every test may ask for: an empty, migrated store on both databases, and a real Temporal server."""

from __future__ import annotations

import gc
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dripline.store.database import Store
from dripline.store.migrate import migrate
from tests.postgres import NoPostgres, PostgresServer
from tests.temporal_server import NoTemporal, TemporalServer

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors: the slowest tests wait for timers and for other processes."""
    return len(os.sched_getaffinity(0)) + 1


EVERY = os.environ.get("DRIPLINE_EVERY_DATABASE") == "1"
"""Whether all cases of all tests run on both databases; else the first of each test, and every other on one of them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with many cases, let the first run on both databases, and the others in turns on either."""
    cases: dict[str, list[str]] = {}
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        case = re.sub(r"\b(sqlite|postgres)\b", "*", item.name, count=1)
        if EVERY or case == item.name or item.get_closest_marker("crash"):
            kept.append(item)
            continue
        seen = cases.setdefault(item.nodeid.partition("[")[0], [])
        if case not in seen:
            seen.append(case)
        number = seen.index(case)
        on_postgres = item.get_closest_marker("postgres") is not None
        (kept if number == 0 or on_postgres == (number % 2 == 1) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage less often, and not in what stays for good: a fifth of the time of many tests was that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL server with a migrated database `migrated`, to be copied by CREATE DATABASE."""
    try:
        server = PostgresServer()
        server.start()
    except NoPostgres as reason:
        _do_without(f"PostgreSQL: {reason}")
    store = Store(server.create("migrated"))
    migrate(store)
    store.close()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    store.close()  # the last connection's end folds the log into the file
    return path


def migrated_store(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """For a fixture with the parameters DATABASES: the URL of an empty, migrated store, for as long as it lasts."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "dripline.db")
        yield f"sqlite:///{folder / 'dripline.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.lend()
    yield server.url(name)
    server.take_back(name)


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated store of the test's own; each test runs once on each database."""
    yield from migrated_store(request, tmp_path)


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it, not even tables, on each database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid.uuid4().hex}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty, migrated store of the test's own; each test runs once on each database."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[TemporalServer]:
    """A real Temporal server, in memory, shared by the session: give workflows ids of your own."""
    try:
        server = TemporalServer()
    except NoTemporal as reason:
        _do_without(f"Temporal: {reason}")
    server.start()
    yield server
    server.kill()


def _do_without(reason: str) -> None:
    """Skip, loudly; in CI nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it. {reason}")
    pytest.skip(reason)
