"""What the API does for a lead's own rights."""

from __future__ import annotations

from fastapi.testclient import TestClient


def test_a_lead_is_erased_once_and_is_gone_ever_after(client: TestClient) -> None:
    lead = client.put("/v1/leads", json={"email": "ani@example.com", "consent": {"email": True}}).json()["id"]
    answer = client.delete(f"/v1/leads/{lead}", params={"why": "asked"})
    assert (answer.status_code, answer.json()["erased"], answer.json()["addresses"]) == (200, [lead], 1)
    assert "ani@" not in answer.text
    assert client.delete(f"/v1/leads/{lead}").status_code == 410
    assert client.get(f"/v1/leads/{lead}").status_code == 410
    assert (
        client.post("/v1/events", json={"name": "order.paid", "lead": "ani@example.com"}).status_code == 404
    )


def test_nobody_unknown_is_erased(client: TestClient) -> None:
    assert client.delete("/v1/leads/nobody").status_code == 404


def test_everything_of_a_lead_is_handed_out(client: TestClient) -> None:
    lead = client.put("/v1/leads", json={"email": "ani@example.com", "consent": {"email": True}}).json()["id"]
    answer = client.get(f"/v1/leads/{lead}/export")
    assert (answer.status_code, answer.json()["consents"][0]["state"]) == (200, "granted")
    file = client.get(f"/v1/leads/{lead}/export", params={"format": "zip"})
    assert (file.headers["Content-Type"], file.content[:2]) == ("application/zip", b"PK")
    client.delete(f"/v1/leads/{lead}")
    assert client.get(f"/v1/leads/{lead}/export").status_code == 410
    assert client.get("/v1/leads/nobody/export").status_code == 404
    assert client.get(f"/v1/leads/{lead}/export", params={"format": "pdf"}).status_code == 422
