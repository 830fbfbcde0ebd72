"""`dripline erase`, and what a restore does about those who were erased."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import Opened, run
from tests.durable.house import House
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def with_identity(house: House) -> None:
    with house.store.write() as connection:
        connection.execute(
            schema.identities.insert().values(
                kind="email", value="ani@example.com", lead_id="lead-1", created_at=house.clock()
            )
        )


def test_it_shows_what_goes_and_asks(open_house: Opened) -> None:
    house = open_house(HELLO)
    with_identity(house)
    house.queued_message()
    code, said = run("erase", "ani@example.com", says="n\n")
    assert (code, "Nothing was done." in said) == (1, True)
    assert "  goes: the profile, 1 identity, 1 event, 1 run, 1 message" in said
    assert "  not sent: 1 message" in said
    assert house.message().state == "queued"


def test_it_is_gone_and_says_so_ever_after(open_house: Opened) -> None:
    house = open_house(HELLO)
    with_identity(house)
    code, said = run("erase", "ani@example.com", "--yes", "--why", "asked by mail")
    assert code == 0
    assert "Not written to again unless it signs up itself: 2 addresses, kept as keyed hashes." in said
    assert "ani@" not in said
    assert run("erase", "lead-1", "--yes") == (1, "This lead was erased; nothing is kept of it any more.\n")
    code, said = run("why", "ani@example.com")
    assert (code, "ani@" in said) == (1, False)


def test_nobody_unknown_is_erased(open_house: Opened) -> None:
    open_house()
    assert run("erase", "nobody@example.com", "--yes")[0] == 1


def test_a_restore_of_an_older_backup_erases_again(open_house: Opened, store: Store, tmp_path: Path) -> None:
    house = open_house(HELLO)
    with_identity(house)
    backup = tmp_path / "before.backup"
    assert run("backup", str(backup))[0] == 0
    assert run("erase", "ani@example.com", "--yes")[0] == 0
    store.close()
    code, said = run("restore", str(backup), "--yes")
    assert (code, "Erased again, as since the backup: 1 lead." in said) == (0, True), said
    with store.read() as connection:
        lead = connection.execute(select(schema.leads)).one()
    assert (lead.email, lead.erased_at is not None) == (None, True)
