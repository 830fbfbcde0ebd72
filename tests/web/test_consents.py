"""By what right a lead is written to: told by the API, by the command line, and on its page."""

from __future__ import annotations

from fastapi.testclient import TestClient


def test_the_log_of_consent_is_told_with_its_proof(client: TestClient) -> None:
    said = {
        "email": "ani@example.com",
        "consent": {"email": True},
        "topics": {"newsletter": {"sms": False}},
        "consent_proof": {"wording": "Yes, write to me"},
        "tracking": True,
    }
    lead = client.put("/v1/leads", json=said).json()["id"]
    told = client.get(f"/v1/leads/{lead}/consent").json()
    assert (told["consent"], told["topics"], told["paused_until"]) == (
        {"email": True},
        {"newsletter": {"sms": False}},
        None,
    )
    assert [(one["channel"], one["topic"], one["state"], one["source"]) for one in told["log"]] == [
        ("email", None, "granted", "api"),
        ("sms", "newsletter", "denied", "api"),
        (None, None, "tracked", "api"),
    ]
    assert told["tracking"] is True
    assert told["log"][2]["proof"] == {"wording": "Yes, write to me"}
    assert told["log"][0]["proof"] == {"wording": "Yes, write to me"}
    page = client.get(f"/leads/{lead}").text
    assert "agrees to e-mail, by api" in page
    assert "says no to the topic newsletter by SMS" in page
    assert "may be tracked: what it opens and clicks is kept, by api" in page
    assert client.get("/v1/leads/nobody/consent").status_code == 404
