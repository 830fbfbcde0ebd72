"""Processes that write to one SQLite file take turns, so that none starves."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import text

from dripline.store.database import Store
from tests.durable.house import Thread


def test_who_writes_seldom_does_not_starve_beside_who_writes_all_the_time(tmp_path: Path) -> None:
    busy, calm = (Store(f"sqlite:///{tmp_path / 'shared.db'}") for _ in range(2))
    with busy.write() as connection:
        connection.execute(text("CREATE TABLE written (number INTEGER)"))
    over = time.monotonic() + 3

    def write_all_the_time() -> None:
        while time.monotonic() < over:
            with busy.write() as connection:
                connection.execute(text("INSERT INTO written VALUES (1)"))
                time.sleep(0.005)

    writers = [Thread(f"writer-{number}", write_all_the_time) for number in range(4)]
    waited = []
    while time.monotonic() < over - 1:
        began = time.monotonic()
        with calm.write() as connection:
            connection.execute(text("INSERT INTO written VALUES (2)"))
        waited.append(time.monotonic() - began)
    for writer in writers:
        writer.done()
    assert sorted(waited)[len(waited) // 2] < 0.1
    assert len(waited) > 15


def test_a_store_writes_where_no_file_can_be_made_to_queue_at(tmp_path: Path) -> None:
    (tmp_path / "shared.db-turn").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'shared.db'}")
    for _ in range(2):
        with store.write() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS written (number INTEGER)"))
    store.close()
