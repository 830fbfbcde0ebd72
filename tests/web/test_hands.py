"""People, owners, tasks, stages and customer cards, over the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app

FIELDS = ("first_name", "last_name", "email", "phone", "company", "vat", "contract", "billing", "size")
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["hy"],
        "people": {
            "anna": {"email": "anna@shop.example"},
            "aram": {"email": "aram@shop.example"},
            "lilit": {"email": "lilit@shop.example"},
        },
        "teams": {"sales": {"people": ["anna", "aram"], "by": "load"}},
        "attributes": {"first_name": "text", "company": "text"},
        "cards": {
            "lead": ["first_name", "email", "company"],
            "customer": {**dict.fromkeys(FIELDS, "text"), "signed_on": "date"},
        },
    }
)

Said = Callable[..., Any]


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    settings = Settings(_env_file=None, data=tmp_path)
    app = create_app(settings, store, WORKSPACE)
    return TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50_000))


@pytest.fixture
def lead(client: TestClient) -> str:
    said = {"email": "ani@example.com", "stage": "lead", "attributes": {"first_name": "Ani"}}
    return f"/v1/leads/{client.put('/v1/leads', json=said).json()['id']}"


def test_a_lead_is_given_to_one_of_a_team_and_says_why(client: TestClient, lead: str) -> None:
    client.post("/v1/people/anna/absences", json={"until": "2099-01-01T00:00:00Z"})
    given = client.post(f"{lead}/owner", json={"to": "sales"}).json()
    assert (given["person"], given["how"]) == ("aram", "by-hand")
    assert {one["person"]: one["why"] for one in given["looked"]} == {
        "aram": "has 0 open leads",
        "anna": "is away",
    }
    [owner] = client.get(f"{lead}/owners").json()
    assert owner["why"] == given["looked"]
    assert {
        one["person"]: (one["open"], one["away_until"] is None) for one in client.get("/v1/people").json()
    } == {
        "anna": (0, False),
        "aram": (1, True),
        "lilit": (0, True),
    }
    assert client.delete("/v1/people/anna/absences").json() == {"ended": 1}
    assert client.post(f"{lead}/owner", json={"to": "selas"}).status_code == 404


def test_a_task_is_set_done_once_and_cannot_be_cancelled_then(client: TestClient, lead: str) -> None:
    client.post(f"{lead}/owner", json={"to": "lilit"})
    made = client.post(f"{lead}/tasks", json={"title": "Call Ani", "due": "4h"})
    assert made.status_code == 201
    task = made.json()
    assert task["person"] == "lilit"
    assert [one["id"] for one in client.get("/v1/tasks?person=lilit").json()] == [task["id"]]
    done = client.post(f"/v1/tasks/{task['id']}/done", json={"result": "wants it"}).json()
    again = client.post(f"/v1/tasks/{task['id']}/done", json={"result": "or not"}).json()
    assert (done["result"], again["result"]) == ("wants it", "wants it")
    assert client.delete(f"/v1/tasks/{task['id']}").json()["cancelled_at"] is None
    assert client.get("/v1/tasks").json() == []
    assert client.get(f"{lead}/owners").json()[0]["reacted_at"] is not None
    assert client.post(f"{lead}/tasks", json={"title": "x", "due": "soon"}).status_code == 422
    assert client.post("/v1/tasks/none/done", json={}).status_code == 404


def test_stages_are_kept_with_their_reasons_and_a_customer_has_a_card_of_its_own(
    client: TestClient, lead: str
) -> None:
    assert client.get(f"{lead}/customer").status_code == 404
    assert client.put(f"{lead}/customer", json={"fields": {"contract": "A-7"}}).status_code == 409
    client.post(f"{lead}/stage", json={"stage": "lost", "reason": "too expensive"})
    stages = client.post(f"{lead}/stage", json={"stage": "customer"}).json()
    assert [(one["before"], one["after"], one["reason"]) for one in stages] == [
        (None, "lead", None),
        ("lead", "lost", "too expensive"),
        ("lost", "customer", None),
    ]
    card = client.get(f"{lead}/customer").json()
    assert card["card"] == {"email": "ani@example.com", "first_name": "Ani"}
    assert [one["name"] for one in card["path"]] == ["lead.created", "lead.lost"]
    filled = client.put(f"{lead}/customer", json={"fields": {"contract": "A-7", "first_name": "Anahit"}})
    assert filled.json()["card"]["first_name"] == "Anahit"
    known = client.get(lead).json()
    assert known["first_name"] == "Ani"  # the lead's own card stays as it was
    wrong = client.put(f"{lead}/customer", json={"fields": {"contrakt": "A-7", "signed_on": "soon"}})
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} == {"contrakt", "signed_on"}


def test_the_pages_show_who_has_what_to_do_and_take_what_came_of_it(client: TestClient, lead: str) -> None:
    client.post(f"{lead}/owner", json={"to": "lilit"})
    task = client.post(f"{lead}/tasks", json={"title": "Call <Ani>", "due": "4h"}).json()
    assert 'href="/tasks?person=lilit">1</a>' in client.get("/team").text
    page = client.get("/tasks?person=lilit").text
    assert "Call &lt;Ani&gt;" in page
    assert "There is nothing to do" in client.get("/tasks?person=anna").text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    sent = client.post(
        f"/tasks/{task['id']}/done",
        data={"result": "wants it", "form_token": token},
        headers={"Origin": "http://127.0.0.1:8080"},
        follow_redirects=False,
    )
    assert sent.status_code == 303
    [done] = client.get("/v1/tasks?all=true").json()
    assert done["result"] == "wants it"
