"""Programs and people start campaigns, look at them and steer them."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from dripline.access.roles import Role
from dripline.language.plan import Trigger
from dripline.store.database import Store
from dripline.store.plans import publish
from tests.access.people import a_person
from tests.engine.plans import email, on, plan
from tests.ingest.test_campaigns import SQLITE, START
from tests.web.conftest import Opened
from tests.web.test_login import enter

pytestmark = SQLITE
SAID = {
    "journey": "welcome",
    "audience": "lead.company == 'Example'",
    "per_hour": 20,
    "test": 1,
    "holdout": 10,
}


@pytest.fixture
def client(client: TestClient, store: Store) -> TestClient:
    """Somebody at this very machine, with a journey and a lead."""
    with store.write() as connection:
        publish(connection, plan(email("hello"), trigger=Trigger(on=on())), START)
    lead = {"email": "ani@example.com", "attributes": {"company": "Example"}}
    assert client.put("/v1/leads", json=lead).status_code in (200, 201), "a lead"
    return client


def test_a_program_starts_a_campaign_and_steers_it(client: TestClient) -> None:
    assert client.post("/v1/campaign-audiences", json=SAID).json() == {"found": 1}
    answer = client.post("/v1/campaigns", json=SAID)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["test"], made["outcomes"]) == ("running", 1, {})
    at = f"/v1/campaigns/{made['id']}"
    assert client.post(f"{at}/pause", json={"why": "a misprint"}).json()["stands"] == "paused: a misprint"
    assert client.post(f"{at}/resume", json={}).json()["state"] == "running"
    assert client.post(f"{at}/cancel", json={}).json()["state"] == "cancelled"
    assert client.post(f"{at}/resume", json={}).status_code == 409
    assert [one["id"] for one in client.get("/v1/campaigns").json()["campaigns"]] == [made["id"]]
    assert client.get("/v1/campaigns/none").status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"audience": "nobody"}, "audience"),
        ({"audience": "lead.compny"}, "audience"),
        ({"per_hour": 0}, "per_hour"),
        ({"test": "many"}, "test"),
        ({"holdout": 100}, "holdout"),
    ],
)
def test_what_cannot_be_is_refused_by_field(client: TestClient, said: dict[str, object], field: str) -> None:
    answer = client.post("/v1/campaigns", json={**SAID, **said})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_person_starts_one_on_the_pages_after_seeing_how_many_they_are(client: TestClient) -> None:
    assert "No campaign yet" in client.get("/campaigns").text
    asked = client.get("/campaigns/start", params={"journey": "welcome", "audience": "lead.email"})
    assert "1 lead is in that audience" in asked.text
    terms = {"journey": "welcome", "audience": "lead.email", "test": "5", "per_hour": "1200", "holdout": "10"}
    told = client.get("/campaigns/start", params=terms).text
    assert (
        "5 go first, the others when somebody says so. At most 1,200 are let in an hour. 10% are held out"
        in told
    )
    assert "cannot be asked" in client.get("/campaigns/start?journey=welcome&audience=nobody").text
    token = asked.text.partition('name="form_token" value="')[2].partition('"')[0]
    said = {"form_token": token, "journey": "welcome", "audience": "lead.email", "per_hour": "", "test": "5"}
    page = client.post("/campaigns", data=said, headers={"Origin": "http://127.0.0.1:8080"})
    assert (page.status_code, "Looking through its audience" in page.text) == (200, True), page.text[-800:]
    assert "5 first" in page.text


def test_a_viewer_does_not_read_whom_a_condition_names(open_app: Opened, store: Store) -> None:
    with store.write() as connection:
        publish(connection, plan(email("hello"), trigger=Trigger(on=on())), START)
    said = {**SAID, "audience": "lead.email == 'ani@example.com'"}
    id_ = open_app().post("/v1/campaigns", json=said).json()["id"]
    roles: list[tuple[Role, bool]] = [("viewer", False), ("author", True)]
    for role, reads in roles:
        a_person(store, role)
        client = open_app()
        enter(client, f"{role}@example.com")
        for path in ("/campaigns", f"/campaigns/{id_}"):
            assert ("ani@example.com" in client.get(path).text) == reads, (role, path)
