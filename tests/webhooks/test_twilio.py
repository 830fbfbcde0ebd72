"""Twilio's status callbacks are believed when they are signed, and put into our words."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from dripline.settings import Settings
from dripline.web.webhooks import twilio
from tests.sink import Signer
from tests.webhooks.conftest import NOON, PUBLIC_URL, Ledger, client_of

KEY = "0d9b6a52b0e94f0f8d3f6f0a5d2f7c12"
PATH = f"/webhooks/twilio?key={KEY}"
SID = "SM" + "7" * 32


def form(status: str, **more: str) -> dict[str, str]:
    return {"MessageSid": SID, "MessageStatus": status, "To": "+37491234567", "From": "+15005550006", **more}


def post(client: TestClient, signer: Signer, fields: dict[str, str], path: str = PATH) -> Response:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **signer.twilio(PUBLIC_URL + path, fields),
    }
    answer: Response = client.post(path, content=urlencode(fields), headers=headers)
    return answer


def told(status: str, **more: str) -> list[tuple[str, str | None]]:
    body = urlencode(form(status, **more)).encode()
    reports = twilio.translate({"key": KEY}, twilio.read(body), NOON)
    return [(report.kind, report.reason) for report in reports]


def test_a_signed_callback_is_recorded_under_the_key_of_its_query(
    client: TestClient, signer: Signer, ledger: Ledger
) -> None:
    assert post(client, signer, form("delivered")).status_code == 204

    (report,) = ledger.reports
    assert (report.key, report.kind, report.provider_id, report.at) == (KEY, "delivered", SID, NOON)


def test_empty_and_foreign_fields_are_signed_too(client: TestClient, signer: Signer) -> None:
    assert post(client, signer, form("sent", FromCity="", Body="Բարև & ողջույն + %")).status_code == 204


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PATH.replace(KEY, "another"), form("delivered")),
        (PATH, form("failed")),
        (PATH + "&more=1", form("delivered")),
    ],
    ids=["key", "form", "query"],
)
def test_a_callback_that_was_changed_is_refused(
    client: TestClient, signer: Signer, ledger: Ledger, path: str, fields: dict[str, str]
) -> None:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **signer.twilio(PUBLIC_URL + PATH, form("delivered")),
    }

    answer = client.post(path, content=urlencode(fields), headers=headers)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert ledger.reports == []


@pytest.mark.parametrize("signature", ["", "x", "Zm9v", "=" * 28, "x" * 5000])
def test_garbage_for_a_signature_is_refused(client: TestClient, signature: str) -> None:
    answer = client.post(PATH, content=urlencode(form("sent")), headers={twilio.SIGNATURE: signature})

    assert answer.status_code == 403


def test_another_accounts_token_is_refused(client: TestClient) -> None:
    assert post(client, Signer("another"), form("delivered")).status_code == 403


@pytest.mark.parametrize("body", [b"\xff\xfe", b"To=%ff", b"a=1&" * 300], ids=["bytes", "escapes", "fields"])
def test_what_is_no_form_is_called_unreadable(client: TestClient, body: bytes) -> None:
    answer = client.post(PATH, content=body, headers={twilio.SIGNATURE: "Zm9v"})

    assert answer.status_code == 400


def test_without_a_token_there_is_no_such_page(ledger: Ledger, signer: Signer) -> None:
    client = client_of(Settings(twilio_auth_token=None, public_url=PUBLIC_URL), ledger)

    assert post(client, signer, form("sent")).status_code == 404


def test_when_the_store_is_away_twilio_is_asked_to_try_again(
    client: TestClient, signer: Signer, ledger: Ledger
) -> None:
    ledger.away = True

    answer = post(client, signer, form("delivered"))

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [
        ("accepted", {}, [("accepted", None)]),
        ("queued", {}, [("accepted", None)]),
        ("sending", {}, [("accepted", None)]),
        ("sent", {}, [("accepted", None)]),
        ("delivered", {}, [("delivered", None)]),
        ("read", {}, [("opened", None)]),
        ("undelivered", {"ErrorCode": "30003"}, [("failed", "twilio.unreachable-handset")]),
        ("undelivered", {"ErrorCode": "30005"}, [("bounced", "twilio.unknown-handset")]),
        ("undelivered", {"ErrorCode": "30006"}, [("bounced", "twilio.landline")]),
        ("undelivered", {"ErrorCode": "30999"}, [("failed", "twilio.error-30999")]),
        ("undelivered", {"ErrorCode": "no code"}, [("failed", "twilio.undelivered")]),
        ("failed", {"ErrorCode": "30007"}, [("failed", "twilio.filtered")]),
        (
            "failed",
            {"ErrorCode": "21610"},
            [("failed", "twilio.unsubscribed"), ("unsubscribed", "twilio.unsubscribed")],
        ),
        ("failed", {}, [("failed", "twilio.failed")]),
        ("canceled", {}, [("failed", "twilio.canceled")]),
        ("received", {}, []),
        ("", {}, []),
    ],
)
def test_twilios_words_become_ours(
    status: str, more: dict[str, str], said: list[tuple[str, str | None]]
) -> None:
    assert told(status, **more) == said


@pytest.mark.parametrize("key", ["", "k" * 65, "a b", "a\x00"])
def test_a_callback_without_a_key_of_ours_is_a_success_and_records_nothing(
    client: TestClient, signer: Signer, ledger: Ledger, key: str
) -> None:
    path = f"/webhooks/twilio?{urlencode({'key': key})}"

    assert post(client, signer, form("delivered"), path).status_code == 204
    assert ledger.reports == []
