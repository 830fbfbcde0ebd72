"""A shop asks for codes and redeems them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from dripline.clock import machine_clock
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.discounts import plain_code
from dripline.store.leads import add_lead
from tests.durable.house import House
from tests.engine.plans import email, plan

CODE = "K7RWM-2PXQ4"


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
