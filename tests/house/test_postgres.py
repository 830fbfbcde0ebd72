from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from dripline.store.database import UNAVAILABLE, Store
from tests.postgres import NoPostgres, PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """One to stop; asking for the session's own first skips where there is none."""
    try:
        private = PostgresServer()
    except NoPostgres as reason:  # pragma: no cover - the session's would have been skipped before
        pytest.skip(str(reason))
    private.start()
    yield private
    private.remove()


def test_a_store_outlives_a_crash_of_its_server(server: PostgresServer) -> None:
    store = Store(server.create("shop"))
    with store.write() as connection:
        connection.execute(text("CREATE TABLE kept (id integer)"))
    server.stop()
    with pytest.raises(UNAVAILABLE), store.read() as connection:
        connection.execute(text("SELECT 1"))
    server.start()
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
    store.close()


def test_nothing_is_left_of_a_removed_server(server: PostgresServer) -> None:
    folder = server.folder
    server.remove()
    assert not folder.exists()
