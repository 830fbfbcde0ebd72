"""Imports are listed and taken back; what cannot be taken back is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from dripline.ingest.agreeing import Source
from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.language.workspace import load_workspace
from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import Opened, run
from tests.cli.test_lead_import import HELLO, leads, number, write
from tests.engine.plans import email, plan

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def import_id(told: str) -> str:
    return told.partition("undo-import ")[2][:8]


def say(house: Any, workspace: Path, **fields: Any) -> None:
    """What somebody says by the API."""
    loaded, _ = load_workspace(workspace)
    assert loaded is not None
    with house.store.write() as connection:
        upsert(connection, read_change(LeadIn.model_validate(fields), loaded), NOW, NOW)


def log(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        rows = connection.execute(select(schema.consents).order_by(schema.consents.c.id)).all()
        return [(row.state, row.source) for row in rows]


def test_a_lead_that_did_nothing_since_is_gone_with_everything(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "email,phone,utm_source\nani@example.com,091123456,spring\nbob@example.com,,\n")
    tables = (schema.identities, schema.consents, schema.touches)
    before = [number(house.store, table) for table in tables]
    code, told = run("lead", "import", path, "--consent", "email")
    assert (code, number(house.store, schema.touches)) == (0, 1)
    which = import_id(told)
    code, told = run("lead", "undo-import", which, "--dry-run")
    assert (code, "it would be: 2 removed" in told, len(leads(house.store))) == (0, True, 2)
    assert run("lead", "undo-import", which, says="n\n")[0] == 1
    code, told = run("lead", "undo-import", which, "--yes")
    assert (code, "Undone: 2 removed, 0 put back." in told) == (0, True), told
    assert [number(house.store, table) for table in tables] == before
    assert number(house.store, schema.import_rows) == 0
    with house.store.read() as connection:
        bare = connection.execute(select(schema.leads).where(schema.leads.c.erased_at.is_not(None))).all()
    said = {name for row in bare for name, value in row._mapping.items() if value}
    assert (len(bare), said) == (2, {"id", "created_at", "updated_at", "erased_at"})
    code, told = run("lead", "undo-import", which, "--yes")
    assert (code, "This import was undone" in told) == (1, True)
    assert "undone" in run("lead", "imports")[1]
    assert run("lead", "undo-import", "nothing")[0] == 1
    assert run("lead", "import", path)[0] == 0, "and it can come in again"
    assert {"ani@example.com", "bob@example.com"} <= set(leads(house.store))


def test_values_go_back_where_they_are_still_those_of_the_import(
    open_house: Opened, workspace: Path, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    known = {"phone": "+37491123456", "attributes": {"seats": 3}, "locale": "hy"}
    say(house, workspace, email="ani@example.com", **known)
    path = write(tmp_path, "email,phone,seats,first_name,locale\nani@example.com,091 654321,8,Anni,ru\n")
    code, told = run("lead", "import", path)
    assert (code, "0 new, 1 changed" in told) == (0, True), told
    which = import_id(told)
    say(house, workspace, email="ani@example.com", attributes={"first_name": "Ani"})
    code, told = run("lead", "undo-import", which, "--yes")
    assert "line 2: other values were changed since" in told
    assert "(attributes.first_name)" in told
    assert "0 removed, 1 put back" in told
    lead = leads(house.store)["ani@example.com"]
    assert (lead.phone, lead.locale) == ("+37491123456", "hy")
    assert lead.attributes == {"seats": 3, "first_name": "Ani"}


def test_who_got_something_since_stays_without_the_consent_of_the_import(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(plan(email("hello")))
    path = write(tmp_path, "email\nani@example.com\n")
    code, told = run("lead", "import", path, "--consent", "email", "--enrol", "welcome", "--yes")
    assert (code, number(house.store, schema.runs)) == (0, 1)
    code, told = run("lead", "undo-import", import_id(told), "--yes")
    assert "line 2: something has happened to the lead since: it stays" in told
    assert leads(house.store)["ani@example.com"].consent == {}
    assert log(house.store) == [("granted", "import"), ("withdrawn", "import")]


def test_who_was_changed_since_stays(open_house: Opened, workspace: Path, tmp_path: Path) -> None:
    house = open_house(HELLO)
    told = run("lead", "import", write(tmp_path, "email\nani@example.com\n"), "--consent", "email,sms")[1]
    say(house, workspace, email="ani@example.com", stage="customer", consent={"sms": False}, historical=True)
    told = run("lead", "undo-import", import_id(told), "--yes")[1]
    assert "line 2: the lead was changed since" in told
    assert leads(house.store)["ani@example.com"].consent == {"sms": False}


def test_nobody_becomes_a_subscriber_again_by_undoing(
    open_house: Opened, workspace: Path, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    say(house, workspace, email="ani@example.com", consent={"email": True}, topics={"newsletter": True})
    text = "email,agrees,topics.newsletter\nani@example.com,no,no\n"
    told = run("lead", "import", write(tmp_path, text), "--map", "agrees=consent.email")[1]
    assert leads(house.store)["ani@example.com"].consent == {"email": False}
    told = run("lead", "undo-import", import_id(told), "--yes")[1]
    assert "(consent.email, topics.newsletter)" in told
    lead = leads(house.store)["ani@example.com"]
    assert (lead.consent, lead.topics) == ({"email": False}, {"newsletter": False})


def test_an_address_that_is_put_back_gets_no_consent_that_was_given_for_the_other(
    open_house: Opened, workspace: Path, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    for one in ("1", "2"):
        agrees = {"consent": {"email": True}} if one == "1" else {}
        say(house, workspace, external_id=one, email=f"old-{one}@example.com", **agrees)
    text = "external_id,email\n1,new-1@example.com\n2,new-2@example.com\n"
    told = run("lead", "import", write(tmp_path, text))[1]
    loaded, _ = load_workspace(workspace)
    assert loaded is not None
    with house.store.write() as connection:
        later = datetime.now(UTC) + timedelta(days=1)
        itself = LeadIn.model_validate({"external_id": "2", "consent": {"email": True}})
        upsert(connection, read_change(itself, loaded, Source("page")), later, later)
    told = run("lead", "undo-import", import_id(told), "--yes")[1]
    assert "2 put back" in told
    found = leads(house.store)
    assert found["old-1@example.com"].consent == {"email": True}, "it was said for this one"
    assert found["old-2@example.com"].consent == {}


def test_an_address_that_is_anothers_by_now_is_not_taken_back(
    open_house: Opened, workspace: Path, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    say(house, workspace, external_id="1", email="ani@example.com")
    told = run("lead", "import", write(tmp_path, "external_id,email\n1,new@example.com\n"))[1]
    say(house, workspace, external_id="2", email="ani@example.com")
    told = run("lead", "undo-import", import_id(told), "--yes")[1]
    assert "line 2: " in told
    found = leads(house.store)
    assert found["ani@example.com"].external_id == "2"
    assert found["new@example.com"].external_id == "1"


def test_the_rows_of_a_lead_that_was_erased_are_no_matter(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    told = run("lead", "import", write(tmp_path, "email\nani@example.com\n"))[1]
    with house.store.write() as connection:
        columns = {"erased_at": schema.leads.c.created_at, "email": None}
        connection.execute(update(schema.leads).where(schema.leads.c.id != "lead-1").values(**columns))
    code, told = run("lead", "undo-import", import_id(told), "--yes")
    assert (code, "1 removed" in told) == (0, True)


def test_later_rows_of_one_lead_are_taken_back_before_earlier_ones(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    text = "email,seats\nani@example.com,1\nani@example.com,2\nani@example.com,3\n"
    code, told = run("lead", "import", write(tmp_path, text))
    assert (code, "1 new, 2 changed" in told) == (0, True), told
    code, told = run("lead", "undo-import", import_id(told), "--yes")
    assert "Undone: 1 removed, 2 put back." in told
    assert number(house.store, schema.identities) == 0


def test_an_import_that_was_begun_goes_on_and_is_one(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "email\nani@example.com\nbob@example.com\nnobody\n")
    code, told = run("lead", "import", path)
    with house.store.write() as connection:  # as if it had been killed before it could say so
        connection.execute(update(schema.imports).values(finished_at=None, counts={}))
    code, told = run("lead", "import", path)
    assert (code, "Goes on with an import of this file" in told) == (1, True)
    assert "Imported: 2 new, 0 changed, 0 as they were." in told, (
        "what it did before it was killed is its own"
    )
    assert number(house.store, schema.imports) == 1
    code, told = run("lead", "import", path)
    assert "0 new, 0 changed, 2 as they were" in told
    assert number(house.store, schema.imports) == 2
