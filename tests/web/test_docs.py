from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from dripline.store.database import Store
from dripline.store.schema import events
from tests.ingest.journeys import a_plan, published

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def sent(heading: str, number: int = 0) -> Any:
    """The JSON that stands so far behind that heading of the docs."""
    section = TEXT.partition(f"\n{heading}\n")[2]
    return json.loads(re.findall(r"```json\n(.*?)```", section, re.S)[number])


LEAD, TOUCH = sent("## Leads"), sent("### Where a lead came from")
EVENT, BATCH, ENROL = sent("## Events"), sent("## Events", 1), sent("## Journeys")
PROBLEM = sent("## When something is wrong")


def _in_the_docs(path: str) -> str:
    """A report is told by its name, which tests of the reports hold against docs/reports.md."""
    return "/v1/reports/NAME" if path.startswith("/v1/reports/") else path


def test_every_address_of_the_api_stands_in_the_docs(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    missing = [
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method in methods
        if f"`{method.upper()} {_in_the_docs(path)}`" not in TEXT and not path.startswith("/webhooks/")
    ]
    assert missing == []


def test_what_the_docs_send_is_taken(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("orders", on="order.paid", reentry="never"))
    assert client.put("/v1/leads", json=LEAD).status_code == 201
    assert client.put("/v1/leads", json=TOUCH).json()["changed"] == ["first_touch", "last_touch"]
    assert client.post("/v1/events", json=EVENT).status_code == 202
    assert client.post("/v1/journeys/orders/enrol", json=ENROL).status_code == 202
    client.put("/v1/leads", json={"external_id": "crm-1043"})
    assert client.post("/v1/events/batch", json=BATCH).json()["recorded"] == 2
    with store.read() as connection:
        assert len(connection.execute(select(events)).all()) == 7


def test_the_problem_in_the_docs_is_the_one_that_is_answered(client: TestClient) -> None:
    client.put("/v1/leads", json=LEAD)
    wrong = {**EVENT, "properties": {"seets": 8}}
    said = client.post("/v1/events", json=wrong).json()
    assert {**said, "title": PROBLEM["title"]} == PROBLEM
