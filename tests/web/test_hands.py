"""People, owners, tasks, stages and customer cards, over the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from dripline.clock import machine_clock
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.schema import tasks
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
SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""


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
    assert ">ani@example.com</a> · for lilit · due" in page
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


@SQLITE
def test_a_lead_s_page_tells_what_people_have_had_to_do_with_it(client: TestClient, lead: str) -> None:
    page = f"/leads/{lead.rpartition('/')[2]}"
    client.post(f"{lead}/owner", json={"to": "sales"})
    client.post(f"{lead}/owner", json={"to": "lilit"})
    client.post(f"{lead}/tasks", json={"title": "Call <Ani>", "due": "4h"})
    client.post(f"{lead}/stage", json={"stage": "lost", "reason": "too <expensive>"})
    before = _words(client.get(page).text)
    assert "Call <Ani> open for lilit · due" in before
    assert "anna sales" in before
    assert "somebody else was given the lead" in before
    assert "anna has 0 open leads" in before
    assert "lead → to lost: too <expensive>" in before
    assert "over the API · with lilit then" in before
    assert "Not a customer yet." in before
    client.post(f"{lead}/stage", json={"stage": "customer"})
    client.put(f"{lead}/customer", json={"fields": {"contract": "A-7"}})
    after = _words(client.get(page).text)
    assert "with lilit then. first name Ani" in after
    assert "contract A-7" in after
    assert "Still empty last name phone company" in after
    assert "event lead.lost" in after.partition("The way there, in")[2]


@SQLITE
def test_a_lead_that_nobody_has_looked_after_says_so_in_each_part(client: TestClient) -> None:
    new = client.put("/v1/leads", json={"email": "sam@example.com"}).json()["id"]
    words = _words(client.get(f"/leads/{new}").text)
    for said in ("There is nothing to do", "Nobody yet.", "It is at none yet.", "Not a customer yet."):
        assert said in words


@SQLITE
def test_a_task_that_is_done_on_the_lead_s_page_leads_back_there(
    client: TestClient, lead: str, store: Store
) -> None:
    page = f"/leads/{lead.rpartition('/')[2]}"
    task = client.post(f"{lead}/tasks", json={"title": "Call Ani", "due": "4h"}).json()
    with store.write() as connection:
        past = machine_clock() - timedelta(hours=1)
        connection.execute(update(tasks).values(due_at=past))
    shown = client.get(page).text
    assert "Call Ani overdue" in _words(shown)
    token = shown.partition('name="form_token" value="')[2].partition('"')[0]
    sent = client.post(
        f"/tasks/{task['id']}/done",
        data={"result": "wants <it>", "back": "lead", "form_token": token},
        headers={"Origin": "http://127.0.0.1:8080"},
        follow_redirects=False,
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"{page}#tasks")
    words = _words(client.get(page).text)
    assert "done Call Ani: wants <it>" in words
    assert "· late" in words


@SQLITE
def test_the_tasks_of_a_lead_are_those_of_whom_it_has_become(client: TestClient, lead: str) -> None:
    new = client.put("/v1/leads", json={"email": "sam@example.com"}).json()["id"]
    client.post(f"/v1/leads/{new}/tasks", json={"title": "Call Sam"})
    client.post(f"{lead}/merge", json={"lead": new})
    assert [one["title"] for one in client.get(f"/v1/tasks?lead={new}").json()] == ["Call Sam"]
    assert client.get("/v1/tasks?lead=nobody").status_code == 404


def _words(page: str) -> str:
    """What somebody reads there."""
    within_words = re.sub(r"</?(?:a|b|code|small|span|time)\b[^>]*>", "", page)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", within_words)).split())
