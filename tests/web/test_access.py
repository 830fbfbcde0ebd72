from __future__ import annotations

from base64 import b64encode

import pytest

from tests.web.conftest import Opened

LEAD = {"external_id": "crm-1"}
ELSEWHERE = {"client": ("203.0.113.9", 4_000), "base_url": "http://drip.example.com"}


def test_without_a_key_only_this_machine_is_served(open_app: Opened) -> None:
    assert open_app().put("/v1/leads", json=LEAD).status_code == 201
    assert open_app(client=("::1", 1), base_url="http://[::1]:8080").get("/").status_code == 200
    assert (
        open_app(client=("::ffff:127.0.0.1", 1), base_url="http://localhost:8080").get("/").status_code == 200
    )
    refused = open_app(**ELSEWHERE).put("/v1/leads", json=LEAD)
    assert (refused.status_code, refused.json()["code"]) == (403, "local-only")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "localhost@attacker.example"},
        {"Host": ""},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ],
)
def test_a_proxied_rebound_or_foreign_request_is_not_of_this_machine(
    open_app: Opened, headers: dict[str, str]
) -> None:
    assert open_app().put("/v1/leads", json=LEAD, headers=headers).status_code == 403


def test_the_key_opens_from_anywhere_and_nothing_else_does(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    assert (
        client.put("/v1/leads", json=LEAD, headers={"Authorization": "Bearer correct horse"}).status_code
        == 201
    )
    for wrong in ("Bearer wrong", "Bearer ", "Bearer", "correct horse", "Basic ???", "Bearer \xe9"):
        headers = {"Authorization": wrong.encode("latin-1")}
        refused = client.put("/v1/leads", json=LEAD, headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_a_browser_may_give_the_key_as_password_to_look_but_not_to_change(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    basic = {"Authorization": "Basic " + b64encode(b"me:correct horse").decode()}
    assert client.get("/").headers["www-authenticate"] == 'Basic realm="Dripline"'
    assert client.get("/", headers=basic).status_code == 200
    assert client.put("/v1/leads", json=LEAD, headers=basic).status_code == 401


def test_health_and_webhooks_need_no_key_of_ours(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 200
    assert client.post("/webhooks/sendgrid", content=b"[]").status_code == 404, "not set up here"
    assert client.get("/healthy").status_code == 401
