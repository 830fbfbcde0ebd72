"""A shop asks for codes and redeems them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from dripline.clock import machine_clock
from dripline.language.plan import Budget
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.budgets import commit, set_budgets, spend
from dripline.store.database import Store
from dripline.store.discounts import plain_code
from dripline.store.leads import add_lead
from dripline.web.app import create_app
from tests.access.people import a_person
from tests.durable.house import House
from tests.engine.plans import email, plan
from tests.web.conftest import HERE, Opened
from tests.web.test_login import HTML, enter, token_of

CODE = "K7RWM-2PXQ4"
STOCKED = Workspace.model_validate({"timezone": "UTC", "locales": ["en"], "pools": {"cinema": {"low": 3}}})


@pytest.fixture
def issue(store: Store) -> None:
    """An own code of one lead, an expired one, and one that two leads share."""
    house = House(store, plan(email("hello")))
    now = machine_clock()
    with store.write() as connection:
        add_lead(connection, "lead-2", {"email": "aram@example.com"}, now)
    [run] = house.happens("lead.created", now)
    rows = [
        ("1", CODE, "lead-1", 1),
        ("2", "OLD-1", "lead-1", -1),
        ("3", "ALL", "lead-1", 1),
        ("4", "ALL", "lead-2", 1),
    ]
    with store.write() as connection:
        for id_, code, lead, days in rows:
            connection.execute(
                insert(schema.discounts).values(
                    id=id_,
                    code=code,
                    plain_code=plain_code(code),
                    shared=code == "ALL",
                    lead_id=lead,
                    run_id=run,
                    journey="welcome",
                    step="offer",
                    visit=1,
                    amount=999,
                    currency="USD",
                    issued_at=now,
                    expires_on="2026-01-01",
                    expires_at=now + timedelta(days=days),
                )
            )


@pytest.mark.usefixtures("issue")
def test_a_code_is_shown_however_it_is_typed(client: TestClient) -> None:
    said = client.get(f"/v1/discounts/{CODE.lower().replace('-', '%20')}").json()
    assert (said["code"], said["amount"], said["currency"], said["state"]) == (CODE, 9.99, "USD", "open")


@pytest.mark.usefixtures("issue")
def test_a_code_is_redeemed_once(client: TestClient) -> None:
    def redeem(reference: str) -> object:
        return client.post(f"/v1/discounts/{CODE}/redeem", json={"reference": reference}).status_code

    assert [redeem("order-9"), redeem("order-9"), redeem("order-10")] == [200, 200, 409]
    said = client.get(f"/v1/discounts/{CODE}").json()
    assert (said["state"], said["redeemed_for"]) == ("redeemed", "order-9")


@pytest.mark.usefixtures("issue")
def test_what_cannot_be_redeemed_is_refused(client: TestClient) -> None:
    def redeem(code: str, lead: str | None = None) -> tuple[int, str]:
        answer = client.post(f"/v1/discounts/{code}/redeem", json={"reference": "o", "lead": lead})
        return answer.status_code, answer.json().get("code")

    assert redeem("nope") == (404, "unknown-code")
    assert redeem("OLD-1") == (410, "expired")
    assert redeem("ALL") == (409, "shared-code")
    assert redeem("ALL", "lead-2")[0] == 200


@pytest.fixture
def stocked(store: Store, tmp_path: Path) -> TestClient:
    """An installation with a budget that has spent something, and an empty pool."""
    app = create_app(Settings(_env_file=None, data=tmp_path), store, STOCKED)
    with store.write() as connection:
        set_budgets(connection, {"spring": Budget(amount=100_000, currency="USD")})
        commit(connection, "spring", 25_000)
        spend(connection, "spring", 10_000, 10_000)
    return TestClient(app, base_url=HERE, client=("127.0.0.1", 50_000), raise_server_exceptions=False)


def test_programs_ask_how_budgets_and_pools_stand_and_add_codes(stocked: TestClient, store: Store) -> None:
    [spring] = stocked.get("/v1/budgets").json()
    assert (spring["amount"], spring["spent"], spring["committed"]) == (1000, 100, 150)
    assert (spring["issued"], spring["codes"], spring["exhausted"]) == (1, None, False)
    assert stocked.get("/v1/pools").json() == [
        {"pool": "cinema", "left": 0, "all": 0, "low": True, "declared": True}
    ]

    def add(*codes: str, pool: str = "cinema") -> tuple[int, Any]:
        answer = stocked.post(f"/v1/pools/{pool}/codes", json={"codes": codes})
        return answer.status_code, answer.json()

    assert add("A-1", " B 2 ", "a1") == (200, {"new": 2, "known": 0, "elsewhere": []})
    assert add("A-1", "C-3") == (200, {"new": 1, "known": 1, "elsewhere": []})
    assert stocked.get("/v1/pools").json() == [
        {"pool": "cinema", "left": 3, "all": 3, "low": False, "declared": True}
    ]
    for wrong in ((), ("- -",), ("!!",), ("a/1",), ("x" * 81,), ("",), ("a\x00b",)):
        assert add(*wrong)[0] == 422, wrong
    assert add("D-4", pool="theatre")[0] == 404
    with store.read() as connection:
        acts = connection.execute(select(schema.audit).order_by(schema.audit.c.id)).all()
    told = [(row.what, row.by, row.detail["new"]) for row in acts]
    assert told == [("codes-imported", "this machine", 2), ("codes-imported", "this machine", 1)]


def test_the_page_shows_what_is_left_and_what_was_issued(stocked: TestClient) -> None:
    page = stocked.get("/discounts").text
    assert "250 of 1,000 USD" in page
    assert "cinema" in page
    assert "No discount has been issued yet" in page


def taken_back(store: Store) -> list[Any]:
    acts = schema.audit
    with store.read() as connection:
        return list(connection.execute(select(acts).where(acts.c.what == "discount-revoked")))


@pytest.mark.usefixtures("issue")
def test_a_discount_is_found_looked_at_and_taken_back_on_pages(client: TestClient, store: Store) -> None:
    page = client.get("/discounts").text
    assert all(f'href="/discounts/{id_}"' in page for id_ in "1234")
    found = client.get("/discounts", params={"code": " k7rwm 2pxq4 "}).text
    assert 'href="/discounts/1"' in found
    assert "OLD-1" not in found
    assert "A character of it may be wrong" in client.get("/discounts", params={"code": "K7RWM-2PXQ5"}).text
    one = client.get("/discounts/1").text
    assert "9.99 USD" in one
    assert "/discounts/1/revoke" in one
    assert client.get("/discounts/none").status_code == 404
    asked = client.get("/discounts/4/revoke")
    assert "Take ALL back?" in asked.text
    answer = client.post(
        "/discounts/4/revoke",
        data={"why": "sent by mistake", "form_token": token_of(asked)},
        headers={"Origin": HERE},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/discounts/4")
    after = client.get(answer.headers["location"]).text
    assert "sent by mistake" in after
    assert "/revoke" not in after
    assert client.get("/v1/discounts/ALL", params={"lead": "lead-1"}).json()["state"] == "open"
    [act] = taken_back(store)
    assert (act.by, act.why, act.detail) == ("this machine", "sent by mistake", {"discount": "4"})


@pytest.mark.usefixtures("issue")
def test_of_a_code_that_a_lead_has_twice_the_one_that_is_good_is_meant(
    client: TestClient, store: Store
) -> None:
    table = schema.discounts
    with store.write() as connection:
        row = dict(connection.execute(select(table).where(table.c.id == "3")).mappings().one())
        again = {**row, "id": "5", "issued_at": row["issued_at"] + timedelta(minutes=1)}
        connection.execute(insert(table), {**again, "visit": 2})
    asked = client.get("/discounts/5/revoke")
    form = {"form_token": token_of(asked)}
    client.post("/discounts/5/revoke", data=form, headers={"Origin": HERE}, follow_redirects=False)
    mine = {"lead": "lead-1"}
    assert client.get("/v1/discounts/ALL", params=mine).json()["state"] == "open"
    redeemed = client.post("/v1/discounts/ALL/redeem", json={**mine, "reference": "order-1"})
    assert (redeemed.status_code, redeemed.json()["state"]) == (200, "redeemed")
    assert [row.detail for row in taken_back(store)] == [{"discount": "5"}]


@pytest.mark.usefixtures("issue")
def test_who_may_not_read_leads_sees_no_codes(open_app: Opened, store: Store) -> None:
    a_person(store, "viewer")
    a_person(store, "author", "author@example.com")
    for name, sees in (("viewer", False), ("author", True)):
        client = open_app()
        enter(client, f"{name}@example.com")
        for path in ("/discounts", f"/discounts?code={CODE}"):
            page = client.get(path, headers=HTML).text
            assert (CODE in page, "nare@" in page or "lead-1" in page) == (sees, sees), (name, path)
            assert "There is nothing to count yet" in page or sees


@pytest.mark.usefixtures("issue")
def test_whoever_takes_a_discount_back_over_the_api_stands_in_the_audit_log(
    client: TestClient, store: Store
) -> None:
    for _ in range(2):
        said = client.post(f"/v1/discounts/{CODE}/revoke", json={"why": "leaked"}).json()
        assert said["state"] == "revoked"
    [act] = taken_back(store)
    assert (act.by, act.why) == ("this machine", "leaked")
