"""Making one lead of two over HTTP, taking it back, and what the lead's page and its story tell of it."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient


def saved(client: TestClient, **said: Any) -> str:
    answer = client.put("/v1/leads", json=said)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def test_two_leads_become_one_and_two_again(client: TestClient) -> None:
    ani = saved(client, email="ani@example.com", consent={"email": True})
    ann = saved(client, external_id="crm-1", email="ann@example.com")
    client.post("/v1/events", json={"name": "order.paid", "lead": "crm-1", "properties": {"total": 8}})
    seen = client.post(f"/v1/leads/{ann}/merge", json={"lead": ani, "dry_run": True}).json()
    assert (seen["lead"], seen["dry_run"], client.get(f"/v1/leads/{ann}").json()["id"]) == (ani, True, ann)

    done = client.post(f"/v1/leads/{ann}/merge", json={"lead": ani, "why": "one person"}).json()
    assert (done["lead"], done["other"], done["changed"]) == (ani, ann, ["consent", "external_id"])
    assert done["moved"]["events"] == 2
    assert client.get(f"/v1/leads/{ann}").json()["id"] == ani
    again = client.post(f"/v1/leads/{ann}/merge", json={"lead": ani})
    assert (again.status_code, again.json()["code"]) == (409, "same-lead")

    told = [entry["text"] for entry in client.get(f"/v1/leads/{ani}/timeline").json()["entries"]]
    [said] = [text for text in told if text.startswith(f"lead {ann} and this one are one person")]
    assert ": the API was told so, " in said
    assert said.endswith("; not both agreed to email, so that the yes of one does not hold")
    assert any(text.startswith("event order.paid") for text in told)
    page = client.get(f"/leads/{ani}").text
    assert "Also found by" in page
    assert "email ann@example.com" in page

    [line] = client.get(f"/v1/leads/{ani}/merges").json()["merges"]
    assert (line["id"], line["cause"], line["undone_at"]) == (done["merge"], "api", None)
    back = client.post(f"/v1/merges/{done['merge']}/undo", json={}).json()
    assert (back["lead"], back["other"], back["kept"]) == (ani, ann, [])
    assert client.get(f"/v1/leads/{ann}").json()["external_id"] == "crm-1"
    assert client.get(f"/v1/leads/{ani}").json()["consent"] == {"email": True}
    told = [entry["text"] for entry in client.get(f"/v1/leads/{ann}/timeline").json()["entries"]]
    assert any("two people after all: the merge is taken back" in text for text in told)


def test_what_cannot_be_merged_is_told_with_its_reason(client: TestClient) -> None:
    ani = saved(client, email="ani@example.com")
    for path, body, status in (
        ("/v1/leads/nobody/merge", {"lead": ani}, 404),
        (f"/v1/leads/{ani}/merge", {"lead": "nobody"}, 404),
        (f"/v1/leads/{ani}/merge", {}, 422),
        (f"/v1/leads/{ani}/merge", {"lead": ani}, 409),
        (f"/v1/leads/{ani}/merge", {"lead": ani, "sideways": True}, 422),
        ("/v1/merges/none/undo", {}, 404),
        ("/v1/merges/none/undo", {"why": 3}, 422),
    ):
        answer = client.post(path, json=body)
        assert (path, answer.status_code) == (path, status), answer.text
        assert answer.json()["code"]
    assert client.get("/v1/leads/nobody/merges").status_code == 404
    assert client.get(f"/v1/leads/{ani}/merges").json() == {"merges": []}


def test_a_visitor_who_signs_up_is_one_lead_by_itself(client: TestClient) -> None:
    visitor = saved(client, anonymous_id="browser-1")
    client.post("/v1/events", json={"name": "order.paid", "lead": {"anonymous_id": "browser-1"}})
    ani = saved(client, external_id="crm-1", email="ani@example.com")
    assert saved(client, external_id="crm-1", anonymous_id="browser-1") == ani
    assert client.get(f"/v1/leads/{visitor}").json()["id"] == ani
    [line] = client.get(f"/v1/leads/{visitor}/merges").json()["merges"]
    assert (line["cause"], line["other"]) == ("identify", visitor)
