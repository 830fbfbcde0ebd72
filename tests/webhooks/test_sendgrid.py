"""SendGrid's events are believed when they are signed, and put into our words."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from httpx import Response
from pydantic import SecretStr
from sendgrid.helpers.eventwebhook import EventWebhook

from dripline.settings import Settings
from dripline.web.webhooks import sendgrid
from tests.sink import Signer
from tests.webhooks.conftest import NOON, TOKEN, Ledger, client_of

KEY = "9f1c6a52b0e94f0f8d3f6f0a5d2f7c11"
AT = datetime(2026, 1, 5, 11, 59, 30, tzinfo=UTC)


def event(word: str, **more: Any) -> dict[str, Any]:
    return {
        "email": "anahit@example.am",
        "timestamp": int(AT.timestamp()),
        "event": word,
        "sg_event_id": "ZGVsaXZlcmVkLTAtMTIzNDU",
        "sg_message_id": "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
        "dripline_key": KEY,
        **more,
    }


def post(client: TestClient, signer: Signer, body: bytes, at: datetime = NOON) -> Response:
    answer: Response = client.post(
        "/webhooks/sendgrid", content=body, headers=signer.sendgrid(body, at.timestamp())
    )
    return answer


def told(*events: Any) -> list[tuple[str, str | None]]:
    return [(report.kind, report.reason) for report in sendgrid.translate(json.dumps(events).encode(), NOON)]


def test_what_sendgrid_knows_of_who_opened_and_which_link_is_taken_over() -> None:
    events = [
        event("open", sg_machine_open=True),
        event("open", sg_machine_open=False),
        event("click", url="https://example.am/a?email=anahit@example.am#b"),
        event("click", url="javascript:alert(1)"),
    ]
    reports = sendgrid.translate(json.dumps(events).encode(), NOON)
    assert [report.by_machine for report in reports] == [True, False, False, False]
    assert [report.link for report in reports] == [None, None, "https://example.am/a", None]


def test_a_signed_batch_is_recorded_in_its_order(client: TestClient, signer: Signer, ledger: Ledger) -> None:
    body = json.dumps([event("processed"), event("delivered"), event("open")]).encode()

    answer = post(client, signer, body)

    assert answer.status_code == 204
    assert [report.kind for report in ledger.reports] == ["accepted", "delivered", "opened"]
    first = ledger.reports[0]
    assert (first.key, first.at, first.provider_id) == (KEY, AT, "euo2iKxdSayPF4YE4--I7A")


def test_our_signatures_are_what_sendgrids_own_library_takes(signer: Signer) -> None:
    headers = signer.sendgrid(b"[]")

    assert EventWebhook(signer.sendgrid_key).verify_signature(
        "[]", headers[sendgrid.SIGNATURE], headers[sendgrid.TIMESTAMP]
    )


@pytest.mark.parametrize("age", [timedelta(minutes=11), timedelta(minutes=-11), timedelta(days=400)])
def test_a_request_that_was_signed_at_another_time_is_refused(
    client: TestClient, signer: Signer, ledger: Ledger, age: timedelta
) -> None:
    answer = post(client, signer, json.dumps([event("delivered")]).encode(), NOON - age)

    assert answer.status_code == 403
    assert ledger.reports == []


@pytest.mark.parametrize("age", [timedelta(minutes=9), timedelta(minutes=-9)])
def test_clocks_may_differ_a_little(client: TestClient, signer: Signer, age: timedelta) -> None:
    assert post(client, signer, b"[]", NOON - age).status_code == 204


def test_a_body_that_was_changed_is_refused_and_says_so_in_problem_details(
    client: TestClient, signer: Signer, ledger: Ledger
) -> None:
    headers = signer.sendgrid(json.dumps([event("delivered")]).encode(), NOON.timestamp())

    answer = client.post(
        "/webhooks/sendgrid", content=json.dumps([event("bounce")]).encode(), headers=headers
    )

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 403
    assert ledger.reports == []


def test_another_accounts_signature_is_refused(client: TestClient) -> None:
    assert post(client, Signer(TOKEN, private_value=7), b"[]").status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {sendgrid.SIGNATURE: ""},
        {sendgrid.SIGNATURE: "not base64!"},
        {sendgrid.SIGNATURE: base64.b64encode(b"not a signature").decode()},
        {sendgrid.SIGNATURE: "Zm9v" * 3000},
        {sendgrid.TIMESTAMP: ""},
        {sendgrid.TIMESTAMP: "yesterday"},
        {sendgrid.TIMESTAMP: "-1"},
        {sendgrid.TIMESTAMP: "9" * 400},
        {sendgrid.TIMESTAMP: f"{int(NOON.timestamp())}.0"},
    ],
)
def test_garbage_in_the_headers_is_refused(
    client: TestClient, signer: Signer, change: dict[str, str]
) -> None:
    headers = {**signer.sendgrid(b"[]", NOON.timestamp()), **change}

    assert client.post("/webhooks/sendgrid", content=b"[]", headers=headers).status_code == 403


def test_no_headers_at_all_are_refused(client: TestClient) -> None:
    assert client.post("/webhooks/sendgrid", content=b"[]").status_code == 403


def test_bytes_that_are_no_text_can_be_signed_and_are_then_called_unreadable(
    client: TestClient, signer: Signer
) -> None:
    assert post(client, signer, b"\xff\xfe\x00").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'"x"', b"[" * 100_000, b"[{]"])
def test_what_is_signed_and_no_list_is_called_unreadable(
    client: TestClient, signer: Signer, body: bytes
) -> None:
    assert post(client, signer, body).status_code == 400


def test_more_events_than_sendgrid_ever_sends_are_not_taken(client: TestClient, signer: Signer) -> None:
    assert post(client, signer, b"[" + b"0," * 5000 + b"0]").status_code == 400


def rsa_key() -> str:
    public = rsa.generate_private_key(65537, 2048).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    "key", ["not a key", "Zm9v", "ключ", rsa_key()], ids=["text", "short", "letters", "rsa"]
)
def test_a_key_that_is_none_refuses_everything(signer: Signer, key: str) -> None:
    headers = signer.sendgrid(b"[]", NOON.timestamp())

    assert not sendgrid.verify(key, headers[sendgrid.SIGNATURE], headers[sendgrid.TIMESTAMP], b"[]", NOON)


def test_without_a_key_there_is_no_such_page(ledger: Ledger, signer: Signer) -> None:
    client = client_of(Settings(sendgrid_webhook_key=None), ledger)

    assert post(client, signer, b"[]").status_code == 404


def test_when_the_store_is_away_sendgrid_is_asked_to_try_again(
    client: TestClient, signer: Signer, ledger: Ledger
) -> None:
    ledger.away = True
    body = json.dumps([event("delivered")]).encode()
    assert post(client, signer, body).status_code == 503

    ledger.away = False
    assert post(client, signer, body).status_code == 204
    assert len(ledger.reports) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (event("processed"), ("accepted", None)),
        (event("deferred", response="400 try again later"), ("accepted", None)),
        (event("delivered", response="250 OK"), ("delivered", None)),
        (event("open"), ("opened", None)),
        (event("open", sg_machine_open=False), ("opened", None)),
        (event("click", url="https://example.am"), ("clicked", None)),
        (event("bounce", type="bounce", status="5.1.1"), ("bounced", "sendgrid.bounced.5.1.1")),
        (event("bounce", type="bounce", reason="550 anahit@example.am?"), ("bounced", "sendgrid.bounced")),
        (event("bounce", type="blocked", status="4.7.1"), ("failed", "sendgrid.blocked.4.7.1")),
        (event("dropped", reason="Bounced Address"), ("failed", "sendgrid.dropped.bounced-address")),
        (event("dropped", reason="anahit@example.am"), ("failed", "sendgrid.dropped")),
        (event("spamreport"), ("complained", None)),
        (event("unsubscribe"), ("unsubscribed", None)),
        (event("group_unsubscribe", asm_group_id=1), ("unsubscribed", None)),
    ],
    ids=lambda given: given.get("event") if isinstance(given, dict) else None,
)
def test_sendgrids_words_become_ours(given: dict[str, Any], said: tuple[str, str | None]) -> None:
    assert told(given) == [said]


@pytest.mark.parametrize(
    "given",
    [
        event("group_resubscribe"),
        event("account_status_change"),
        event("delivered", dripline_key=None),
        event("delivered", dripline_key=""),
        event("delivered", dripline_key="k" * 65),
        event("delivered", dripline_key="a\x00b"),
        event("delivered", dripline_key=["k"]),
        event("delivered") | {"event": {"a": 1}},
        {"event": "delivered"},
        "delivered",
        None,
        [[]],
    ],
)
def test_what_is_not_ours_or_not_known_is_left_out(given: Any) -> None:
    assert told(given) == []


@pytest.mark.parametrize("time", [None, "now", True, 1e300, -1e300, float("nan")])
def test_an_event_without_a_usable_time_has_that_of_its_coming(time: Any) -> None:
    (report,) = sendgrid.translate(json.dumps([event("delivered", timestamp=time)]).encode(), NOON)

    assert report.at == NOON


def test_the_twilio_token_has_nothing_to_say_here(ledger: Ledger, signer: Signer) -> None:
    client = client_of(Settings(sendgrid_webhook_key=None, twilio_auth_token=SecretStr(TOKEN)), ledger)

    assert post(client, signer, b"[]").status_code == 404
