from __future__ import annotations

import json
import re
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import select

from dripline.store.database import Store
from dripline.store.schema import events
from tests.ingest.journeys import a_plan, published

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
LEAD, EVENT, BATCH, ENROL, PROBLEM = (
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.S)
)


def test_every_address_of_the_api_stands_in_the_docs(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    missing = [
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method in methods
        if f"`{method.upper()} {path}`" not in TEXT and not path.startswith("/webhooks/")
    ]
    assert missing == []


def test_what_the_docs_send_is_taken(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("orders", on="order.paid", reentry="never"))
    assert client.put("/v1/leads", json=LEAD).status_code == 201
    assert client.post("/v1/events", json=EVENT).status_code == 202
    assert client.post("/v1/journeys/orders/enrol", json=ENROL).status_code == 202
    client.put("/v1/leads", json={"external_id": "crm-1043"})
    assert client.post("/v1/events/batch", json=BATCH).json()["recorded"] == 2
    with store.read() as connection:
        assert len(connection.execute(select(events)).all()) == 6


def test_the_problem_in_the_docs_is_the_one_that_is_answered(client: TestClient) -> None:
    client.put("/v1/leads", json=LEAD)
    wrong = {**EVENT, "properties": {"seets": 8}}
    said = client.post("/v1/events", json=wrong).json()
    assert {**said, "title": PROBLEM["title"]} == PROBLEM
