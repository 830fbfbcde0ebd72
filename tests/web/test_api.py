from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from dripline.clock import machine_clock
from dripline.language.who_tells import OURS
from dripline.language.workspace import BUILT_IN_EVENTS
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.house import open_house, set_stopped
from dripline.store.schema import events, leads
from tests.ingest.journeys import a_plan, published
from tests.web.conftest import Opened

ANI = {"external_id": "crm-1", "email": "ani@example.com", "consent": {"email": True}}


def test_a_lead_is_made_changed_and_shown(client: TestClient) -> None:
    made = client.put("/v1/leads", json=ANI)
    assert made.status_code == 201
    changed = client.put("/v1/leads", json={"external_id": "crm-1", "attributes": {"company": "Arpi LLC"}})
    assert (changed.status_code, changed.json()["changed"]) == (200, ["company"])
    shown = client.get(f"/v1/leads/{made.json()['id']}").json()
    assert (shown["email"], shown["company"], shown["consent"]) == (
        "ani@example.com",
        "Arpi LLC",
        {"email": True},
    )


def test_an_event_is_answered_before_anything_else_happens_and_the_waker_is_nudged(
    open_app: Opened, store: Store
) -> None:
    nudged: list[str] = []
    client = open_app(nudge=lambda: nudged.append("now"))
    with store.write() as connection:
        published(connection, a_plan(on="demo.booked"))
    client.put("/v1/leads", json=ANI)
    answer = client.post(
        "/v1/events", json={"name": "demo.booked", "lead": "crm-1", "properties": {"seats": 8}}
    )
    assert answer.status_code == 202
    assert len(nudged) == 2
    [run] = client.get("/v1/runs", params={"open": "true"}).json()["runs"]
    assert (run["journey"], run["lead"], run["standing"]) == (
        "welcome",
        answer.json()["lead"],
        "about to begin",
    )


def test_what_runs_beside_the_app_begins_and_ends_with_it(open_app: Opened) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def waker() -> AsyncIterator[None]:
        told.append("begins")
        yield
        told.append("ends")

    with open_app(background=[waker]) as client:
        assert client.get("/ready").status_code == 200
        assert told == ["begins"]
    assert told == ["begins", "ends"]


def test_a_repeated_request_is_answered_as_before(client: TestClient, store: Store) -> None:
    client.put("/v1/leads", json=ANI)
    headers = {"Idempotency-Key": "a-key"}
    body = {"name": "demo.booked", "lead": "crm-1"}
    first = client.post("/v1/events", json=body, headers=headers)
    again = client.post("/v1/events", json=body, headers=headers)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post("/v1/events", json={**body, "properties": {"seats": 1}}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    elsewhere = client.post("/v1/events/batch", json={"events": []}, headers=headers)
    assert elsewhere.status_code == 422
    with store.read() as connection:
        assert len(connection.execute(select(events)).all()) == 2


def test_a_batch_says_what_became_of_it(client: TestClient) -> None:
    client.put("/v1/leads", json=ANI)
    good = {"name": "order.paid", "lead": {"email": "ani@example.com"}, "properties": {"total": 5}}
    assert client.post("/v1/events/batch", json={"events": [good, good]}).json()["recorded"] == 2
    mixed = client.post("/v1/events/batch", json={"events": [good, {**good, "name": "order.payed"}]})
    assert mixed.status_code == 207
    [problem] = mixed.json()["problems"]
    assert (problem["index"], problem["errors"][0]["field"]) == (1, "name")
    assert "order.paid" in problem["errors"][0]["detail"]
    assert client.post("/v1/events/batch", json={"events": [good] * 1001}).status_code == 422


def test_nobody_else_says_what_only_dripline_tells(open_app: Opened, store: Store) -> None:
    client = open_app()
    client.put("/v1/leads", json=ANI)
    with store.write() as connection:
        published(connection, a_plan("rewarded", on="referral.rewarded"))
    for name in ("referral.rewarded", "lead.converted", "segment.entered", "survey.commented", "lead.warmed"):
        for more in ({}, {"historical": True}):
            answer = client.post("/v1/events", json={"name": name, "lead": "crm-1", **more})
            assert (answer.status_code, answer.json()["code"]) == (422, "own-event")
    good = {"name": "order.paid", "lead": "crm-1"}
    rows = [{"name": "discount.redeemed", "lead": "crm-1"}, good]
    mixed = client.post("/v1/events/batch", json={"events": rows})
    assert (mixed.status_code, mixed.json()["recorded"]) == (207, 1)
    assert [(one["index"], one["code"]) for one in mixed.json()["problems"]] == [(0, "own-event")]
    assert open_app(trying=True).post("/v1/events", json=rows[0]).status_code == 202
    in_production = open_app(trying=True, environment="production", api_key="key")
    answer = in_production.post("/v1/events", json=rows[0], headers={"Authorization": "Bearer key"})
    assert answer.json()["code"] == "own-event"
    with store.read() as connection:
        told = connection.execute(select(events.c.name).order_by(events.c.seq)).scalars().all()
    assert told == ["lead.created", "order.paid", "discount.redeemed"]


def test_what_others_may_know_as_well_is_taken(client: TestClient) -> None:
    client.put("/v1/leads", json=ANI)
    for name in sorted(BUILT_IN_EVENTS.keys() - OURS):
        answer = client.post("/v1/events", json={"name": name, "lead": "crm-1"})
        assert answer.status_code == 202, name
    assert BUILT_IN_EVENTS.keys() >= OURS


def test_a_lead_is_enrolled(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("orders", on="order.paid"))
    client.put("/v1/leads", json=ANI)
    assert client.post("/v1/journeys/orders/enrol", json={"lead": "crm-1"}).status_code == 202
    again = client.post("/v1/journeys/orders/enrol", json={"lead": "crm-1"})
    assert (again.status_code, again.json()["detail"]) == (409, "The lead is in the journey already.")
    assert client.post("/v1/journeys/oders/enrol", json={"lead": "crm-1"}).status_code == 404


def test_runs_come_a_page_at_a_time(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan())
    for number in range(5):
        client.put("/v1/leads", json={"external_id": f"crm-{number}"})
    seen: list[str] = []
    after = None
    while True:
        page = client.get("/v1/runs", params={"limit": 2, **({"after": after} if after else {})}).json()
        seen += [run["id"] for run in page["runs"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


def test_a_timeline_tells_events_in_order(client: TestClient) -> None:
    lead = client.put("/v1/leads", json=ANI).json()["id"]
    client.post("/v1/events", json={"name": "order.paid", "lead": lead, "properties": {"total": 12.5}})
    story = client.get(f"/v1/leads/{lead}/timeline").json()
    assert [entry["text"] for entry in story["entries"]] == [
        "event lead.created",
        "event order.paid (total: 12.5)",
    ]


def test_an_erased_lead_is_gone_and_a_merged_one_is_what_it_became(client: TestClient, store: Store) -> None:
    kept = client.put("/v1/leads", json={"external_id": "crm-1"}).json()["id"]
    merged = client.put("/v1/leads", json={"external_id": "crm-2"}).json()["id"]
    erased = client.put("/v1/leads", json={"external_id": "crm-3"}).json()["id"]
    with store.write() as connection:
        connection.execute(update(leads).where(leads.c.id == merged).values(merged_into=kept))
        connection.execute(update(leads).where(leads.c.id == erased).values(erased_at=leads.c.created_at))
    assert client.get(f"/v1/leads/{merged}").json()["id"] == kept
    assert client.get(f"/v1/leads/{erased}").status_code == 410
    assert client.post("/v1/events", json={"name": "order.paid", "lead": erased}).status_code == 410


def rubbish() -> list[Any]:
    deep = '{"a":' * 2_000 + "1" + "}" * 2_000
    nested = '{"name": "demo.booked", "lead": "x", "properties": {"note": ' + "[" * 60 + "]" * 60 + "}}"
    event = '{"name": "demo.booked", "lead": "crm-1", "properties": {"note": %s}}'
    return [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"name": "\xff\xfe"}', 400),
        (b"\xef\xbb\xbf{}", 400),
        (deep.encode(), 422),
        (nested.encode(), 422),
        ((event % '"a\\u0000b"').encode(), 422),
        ((event % '{"a\\u0000b": 1}').encode(), 422),
        ((event % '"\\ud800"').encode(), 422),
        ((event % "9223372036854775808").encode(), 422),
        ((event % ("9" * 5_000)).encode(), 422),
        ((event % "1e999").encode(), 422),
        ((event % "NaN").encode(), 400),
        ((event % "-Infinity").encode(), 400),
        ((event % '{"a": 1, "a": 2}').encode(), 400),
        (b'{"name": "demo.booked", "lead": 5}', 422),
        (b'{"name": "demo.booked", "lead": {"phone": "12"}}', 422),
        (b'{"name": "demo.booked", "lead": "crm-1", "occurred_at": "0001-01-01T00:00:00+14:00"}', 422),
        (b'{"name": "demo.booked", "lead": "crm-1", "occurred_at": "yesterday"}', 422),
        (b'{"name": "demo.booked", "lead": "crm-1", "id": "' + b"x" * 129 + b'"}', 422),
        (b" " * 1_000_001, 413),
    ]


@pytest.mark.parametrize(("body", "status"), rubbish(), ids=lambda value: str(value)[:40])
def test_rubbish_is_refused_with_a_problem_document(client: TestClient, body: bytes, status: int) -> None:
    client.put("/v1/leads", json={"external_id": "crm-1"})
    answer = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert_problem(answer, status)


def assert_problem(answer: Any, status: int) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["detail"]
    assert said["type"].startswith("urn:dripline:problem:")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"name": "x", "lead": "y", "properties": {"seats": 9223372036854775808}}', "properties.seats"),
        ('{"name": "x", "lead": "y", "properties": {"list": [1, -1e999]}}', "properties.list.1"),
        ('{"name": "x", "lead": "y", "name": "z"}', "name"),
    ],
)
def test_a_value_that_cannot_be_kept_is_named(client: TestClient, body: str, field: str) -> None:
    answer = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_problems_are_titled_as_the_docs_say_whatever_python_runs(client: TestClient) -> None:
    assert client.put("/v1/leads", json={}).json()["title"] == "Unprocessable Content"
    large = client.put("/v1/leads", content=b" " * 1_000_001, headers={"Content-Type": "application/json"})
    assert large.json()["title"] == "Content Too Large"


def test_every_wrong_field_is_named_with_a_pointer(client: TestClient) -> None:
    answer = client.put(
        "/v1/leads", json={"emial": "x", "consent": {"fax": True}, "topics": {"newsletter": "maybe"}}
    )
    assert_problem(answer, 422)
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "#/emial", "#/consent/fax", "#/topics/newsletter",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/leads/nobody", 404),
        ("DELETE", "/v1/events", 405),
        ("GET", "/v1/leads/a%00b", 400),
        ("GET", "/v1/leads/%ff", 400),
        ("GET", "/v1/runs?after=%00", 400),
        ("GET", "/v1/runs?limit=0", 422),
        ("GET", "/v1/runs?limit=99999999999999999999", 422),
        ("GET", "/v1/runs?open=perhaps", 422),
        ("POST", "/v1/events", 415),
    ],
)
def test_wrong_addresses_and_methods_are_problems_too(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert_problem(answer, status)
    if status == 405:
        assert "POST" in answer.headers["allow"]


def test_a_body_of_another_kind_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/events", content="{}", headers={"Content-Type": "text/plain"})
    assert_problem(answer, 415)


def test_without_a_database_everybody_is_asked_to_come_back(open_app: Opened) -> None:
    away = Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    client = open_app(store=away)
    answer = client.put("/v1/leads", json=ANI)
    assert_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert client.get("/health").status_code == 503
    assert client.get("/ready").status_code == 503
    away.close()


def test_health_tells_of_temporal_without_depending_on_it(open_app: Opened) -> None:
    async def away() -> bool:
        raise ConnectionError

    answer = open_app(temporal=away).get("/health")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "degraded", "store": "ok", "temporal": "away", "stopped": False},
    )


def test_health_and_the_pages_say_that_everything_is_stopped(open_app: Opened, store: Store) -> None:
    with store.write() as connection:
        house = open_house(connection)
        set_stopped(connection, house.clock.to_house(machine_clock()))
        record_act(connection, "stop-all", "anna", "wrong prices <b>", machine_clock())
    client = open_app()
    assert client.get("/health").json()["stopped"] is True
    page = client.get("/").text
    assert "Everything is stopped" in page
    assert "wrong prices &lt;b&gt;" in page
    assert "dripline start-all" in page
    with store.write() as connection:
        set_stopped(connection, None)
    assert "Everything is stopped" not in client.get("/").text


def test_the_description_has_examples_and_problems(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert described["components"]["schemas"]["EventIn"]["examples"]
    assert described["components"]["schemas"]["Problem"]
    refused = described["paths"]["/v1/events"]["post"]["responses"]["422"]["content"]
    assert list(refused) == ["application/problem+json"]
