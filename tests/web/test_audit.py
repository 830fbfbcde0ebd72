from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from dripline.clock import machine_clock
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.house import open_house
from tests.access.keys import a_key
from tests.access.people import a_person
from tests.ingest.journeys import a_plan, published
from tests.web.conftest import Opened
from tests.web.test_login import HTML, enter

ROOT = Path(__file__).parents[2]


def fill(store: Store) -> None:
    now = machine_clock()
    with store.write() as connection:
        open_house(connection)
        record_act(connection, "stop-all", "levon", "wrong prices", now - timedelta(days=30))
        published(connection, a_plan("hello", on="lead.created"))
    a_key(store, "track")


def test_everything_that_people_did_stands_in_one_place(open_app: Opened, store: Store) -> None:
    fill(store)
    person = a_person(store, "admin", name="Ani")
    client = open_app()
    enter(client, "admin@example.com", "wrong password")
    enter(client, "admin@example.com")
    told = open_app().get("/v1/audit").json()
    assert [act["what"] for act in told["acts"]] == [
        "login",
        "login-failed",
        "password-chosen",
        "user-added",
        "key-created",
        "publish",
        "stop-all",
    ]
    login = told["acts"][0]
    assert (login["by"], login["about"], login["detail"]) == (None, "admin@example.com", {"user": person})
    assert told["next"] is None
    page = client.get("/audit", headers=HTML).text
    for words in ("key-created", "wrong prices", "levon", "admin@example.com", "journey: hello"):
        assert words in page


def test_what_is_asked_for_is_shown(open_app: Opened, store: Store) -> None:
    fill(store)
    a_person(store)
    client = open_app()

    def whats(**query: str) -> list[str]:
        return [act["what"] for act in client.get("/v1/audit", params=query).json()["acts"]]

    assert whats(what="key") == ["key-created"]
    assert whats(what="stop-all", by="lev") == ["stop-all"]
    assert whats(by="viewer@") == ["password-chosen"]
    assert "stop-all" not in whats(since=(machine_clock() - timedelta(days=1)).isoformat())
    first = client.get("/v1/audit?limit=2").json()
    rest = client.get("/v1/audit", params={"limit": 9, "after": first["next"]}).json()
    assert [*first["acts"], *rest["acts"]] == client.get("/v1/audit").json()["acts"]
    assert client.get("/v1/audit?since=yesterday").status_code == 422
    assert client.get("/v1/audit?since=2026-01-01").status_code == 422


def test_only_a_key_of_an_admin_reads_it(open_app: Opened, store: Store) -> None:
    elsewhere: TestClient = open_app(client=("203.0.113.9", 1), base_url="http://drip.example.com")
    for scope, status in (("admin", 200), ("leads:read", 403)):
        key = a_key(store, scope).secret
        assert elsewhere.get("/v1/audit", headers={"Authorization": f"Bearer {key}"}).status_code == status


def test_nothing_changes_a_line_that_was_written() -> None:
    changes = re.compile(r"update\((schema\.)?audit\)|audit\.update\(")
    files = [path for path in (ROOT / "dripline").rglob("*.py") if changes.search(path.read_text())]
    assert files == []
