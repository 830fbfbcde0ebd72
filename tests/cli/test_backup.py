from __future__ import annotations

import shutil
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from dripline.clock import machine_clock
from dripline.language.plan import DelayStep, Duration
from dripline.stack.up import alone
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import set_temporal_id
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan
from tests.postgres import PostgresServer

HELLO = plan(
    email("hello", next="wait"),
    DelayStep(id="wait", duration=Duration(days=2), next="email:offer"),
    email("offer"),
)


@pytest.fixture(autouse=True)
def _programs() -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump and pg_restore are not installed")


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)).all())


def restored(store: Store, file: Path, *words: str) -> str:
    """Restore with everything stopped."""
    store.close()
    code, told = run("restore", str(file), *words)
    assert code == 0, told
    return told


def a_house_in_use(open_house: Opened) -> tuple[House, str]:
    """One lead whose first message is queued, in a store that a Temporal knows."""
    house = open_house(HELLO)
    key = house.queued_message()
    with house.store.write() as connection:
        set_temporal_id(connection, "the old one")
        connection.execute(update(schema.runs).values(wake_done=schema.runs.c.wake_wanted))
    return house, key


def test_what_may_have_left_since_the_backup_is_held_and_not_sent_by_itself(
    open_house: Opened, tmp_path: Path
) -> None:
    house, key = a_house_in_use(open_house)
    file = tmp_path / "copy"
    code, told = run("backup", str(file))
    assert code == 0, told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    house.deliveries.attempt(key)  # it leaves after the backup
    assert house.email.sent == [key]
    told = restored(house.store, file, "--yes")
    assert "1 message that may have been sent since" in told
    row = house.message()
    assert (row.id, row.state, row.reason) == (key, "held", "restored: may have been sent")
    house.deliveries.attempt(key)
    assert house.email.sent == [key], "not twice"
    [installation] = rows(house.store, schema.house)
    assert (installation.store_epoch, installation.temporal_id) == (2, None)
    code, told = run("held", "--send", "--all", "--yes")
    assert (code, house.message().state) == (1, "held"), "only with a plain word"
    run("held", "--send", "--all", "--yes", "--may-double", "--state", "held")
    assert house.message().state == "queued"


def test_a_run_whose_time_has_come_since_waits_for_a_person(open_house: Opened, tmp_path: Path) -> None:
    house, key = a_house_in_use(open_house)
    house.deliveries.attempt(key)
    [before] = rows(house.store, schema.runs)
    assert before.until < machine_clock(), "its two days are long over"
    run("backup", str(tmp_path / "copy"))
    told = restored(house.store, tmp_path / "copy", "--yes")
    assert "1 run that may have gone on" in told
    [row] = rows(house.store, schema.runs)
    assert (row.id, row.held_at is not None) == (before.id, True)
    house.advance(row.id, NOW + timedelta(days=3))
    assert rows(house.store, schema.runs)[0].turn == before.turn, "no turn is taken"
    assert "parked" in run("held")[1]
    assert run("runs", "retry", "--all", "--yes")[0] == 1
    code, told = run("runs", "retry", "--all", "--yes", "--may-double")
    assert code == 0, told
    house.advance(row.id, NOW + timedelta(days=3))
    assert [one.template for one in house.messages()] == ["hello", "offer"]


def test_a_run_that_waits_for_later_just_goes_on(open_house: Opened, tmp_path: Path) -> None:
    house, key = a_house_in_use(open_house)
    house.deliveries.attempt(key)
    with house.store.write() as connection:
        connection.execute(update(schema.runs).values(until=machine_clock() + timedelta(days=1)))
    run("backup", str(tmp_path / "copy"))
    assert "Held for you" not in restored(house.store, tmp_path / "copy", "--yes")
    assert rows(house.store, schema.runs)[0].parked_reason is None


def test_everything_is_in_the_copy_and_comes_back_as_it_was(open_house: Opened, tmp_path: Path) -> None:
    house, _ = a_house_in_use(open_house)
    run("backup", str(tmp_path / "copy"))
    before = {table.name: rows(house.store, table) for table in schema.metadata.sorted_tables}
    with house.store.write() as connection:
        connection.execute(text("DELETE FROM step_log"))
        connection.execute(update(schema.leads).values(email="changed@example.com"))
    restored(house.store, tmp_path / "copy", "--yes")
    changed = {"house", "messages", "runs", "step_log", "audit"}
    for table in schema.metadata.sorted_tables:
        if table.name not in changed:
            assert rows(house.store, table) == before[table.name]


def test_a_store_in_use_is_not_replaced(open_house: Opened, tmp_path: Path, store_url: str) -> None:
    house, _ = a_house_in_use(open_house)
    run("backup", str(tmp_path / "copy"))
    code, told = run("restore", str(tmp_path / "copy"))
    assert (code, "--yes" in told) == (1, True)
    with alone(tmp_path / "data"):
        code, told = run("restore", str(tmp_path / "copy"), "--yes")
        assert (code, "nother `dripline up` runs" in told) == (1, True)
    other = Store(store_url)
    with other.read() as connection:
        connection.execute(select(schema.leads)).all()
    house.store.close()
    code, told = run("restore", str(tmp_path / "copy"), "--yes")
    assert (code, "stop" in told) == (1, True), "a worker of its own has no lock file"
    other.close()
    restored(house.store, tmp_path / "copy", "--yes")


def test_files_that_are_no_backups_change_nothing(open_house: Opened, tmp_path: Path) -> None:
    house, key = a_house_in_use(open_house)
    house.store.close()
    for content in (b"", b"hello", b"PGDMP and more", b"SQLite format 3\0" + bytes(100)):
        (tmp_path / "copy").write_bytes(content)
        assert run("restore", str(tmp_path / "copy"), "--yes")[0] == 1
    assert run("restore", str(tmp_path / "nothing"), "--yes")[0] == 1
    assert house.message().id == key
    assert not list(tmp_path.glob(".*.part*"))


def test_a_backup_writes_over_nothing_unasked(open_house: Opened, tmp_path: Path) -> None:
    open_house(HELLO)
    (tmp_path / "copy").write_text("mine")
    assert run("backup", str(tmp_path / "copy"))[0] == 1
    assert (tmp_path / "copy").read_text() == "mine"
    assert run("backup", str(tmp_path / "copy"), "--replace")[0] == 0
    assert run("backup", str(tmp_path / "no" / "folder"))[0] == 3


def test_a_backup_of_a_newer_program_is_refused(open_house: Opened, tmp_path: Path) -> None:
    house, key = a_house_in_use(open_house)
    with house.store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    from dripline.store.backup import back_up

    back_up(house.store, tmp_path / "copy")
    with house.store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    house.store.close()
    code, told = run("restore", str(tmp_path / "copy"), "--yes")
    assert (code, "9999" in told) == (1, True)
    assert house.message().id == key


def test_an_empty_place_is_filled_without_asking(
    open_house: Opened,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    store_url: str,
) -> None:
    _house, key = a_house_in_use(open_house)
    run("backup", str(tmp_path / "copy"))
    if store_url.startswith("sqlite"):
        other = f"sqlite:///{tmp_path / 'elsewhere' / 'dripline.db'}"
        (tmp_path / "elsewhere").mkdir()
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        other = server.create(f"elsewhere_{tmp_path.name[-20:].lower()}".replace("-", "_"))
    monkeypatch.setenv("DRIPLINE_DATABASE_URL", other)
    code, told = run("restore", str(tmp_path / "copy"))
    assert code == 0, told
    store = Store(other)
    assert [row.id for row in rows(store, schema.messages)] == [key]
    store.close()


def test_a_damaged_store_is_replaced(open_house: Opened, tmp_path: Path, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has its own files")
    house, key = a_house_in_use(open_house)
    run("backup", str(tmp_path / "copy"))
    house.store.close()
    (tmp_path / "dripline.db").write_bytes(b"\xff" * 100_000)
    assert run("restore", str(tmp_path / "copy"))[0] == 1
    restored(house.store, tmp_path / "copy", "--yes")
    assert house.message().id == key
    assert (tmp_path / "dripline.db.replaced").exists()


def test_without_postgresqls_programs_it_says_what_to_install(
    open_house: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str
) -> None:
    open_house(HELLO)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, told = run("backup", str(tmp_path / "copy"))
    assert (code, "postgresql-client" in told) == (
        (0, False) if store_url.startswith("sqlite") else (3, True)
    )
