"""Programs look after the list of addresses that get nothing."""

from __future__ import annotations

from fastapi.testclient import TestClient

ANI = {"address": "ani@example.com"}


def test_an_address_is_put_on_the_list_looked_up_and_taken_off(client: TestClient) -> None:
    said = {**ANI, "reason": "unsubscribed", "why": "asked for it"}
    assert client.put("/v1/suppressions", json=said).status_code == 201
    assert client.put("/v1/suppressions", json=said).status_code == 200
    found = client.post("/v1/suppressions/lookup", json=ANI).json()
    assert (found["suppressed"], found["reason"], found["why"]) == (True, "unsubscribed", "asked for it")
    counts = client.get("/v1/suppressions").json()["suppressions"]
    assert counts == [{"channel": "email", "reason": "unsubscribed", "number": 1}]
    answer = client.request("DELETE", "/v1/suppressions", json={**ANI, "why": "wrote to us"})
    assert (answer.status_code, answer.json()["suppressed"]) == (200, False)
    assert client.post("/v1/suppressions/lookup", json=ANI).json()["suppressed"] is False


def test_a_complaint_is_only_lifted_by_a_plain_word(client: TestClient) -> None:
    client.put("/v1/suppressions", json={**ANI, "reason": "complained"})
    said = {**ANI, "why": "wrote to us"}
    assert client.request("DELETE", "/v1/suppressions", json=said).status_code == 409
    assert client.request("DELETE", "/v1/suppressions", json={**said, "complaint": True}).status_code == 200
    assert client.request("DELETE", "/v1/suppressions", json=said).status_code == 404


def test_rubbish_is_refused_by_field(client: TestClient) -> None:
    for said in ({}, {"address": "x"}, {"address": 5}, {**ANI, "reason": "bored"}, {**ANI, "channel": "fax"}):
        answer = client.put("/v1/suppressions", json=said)
        assert answer.status_code == 422
        assert answer.json()["errors"]
