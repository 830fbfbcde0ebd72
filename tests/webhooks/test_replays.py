"""Requests that are not the provider's own, or not for the first time: refused and counted; nothing changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from dripline.doctor.installation import _refused
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.receipts import KEPT, forget_receipts
from dripline.store.schema import receipts
from dripline.store.tallies import tallied
from dripline.web.webhooks import sendgrid, twilio
from dripline.web.webhooks.noting import Notes
from tests.sink import Signer
from tests.webhooks.conftest import NOON, PUBLIC_URL, TOKEN, Ledger, Remembered, client_of

KEY = "9f" * 32
BODY = json.dumps([{"event": "delivered", "dripline_key": KEY, "timestamp": int(NOON.timestamp())}]).encode()
QUERY = f"?{twilio.KEY}={KEY}"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+37491123456"}
FORMED = {"Content-Type": "application/x-www-form-urlencoded"}
SIGNER = Signer(TOKEN)
SIGNED = SIGNER.sendgrid(BODY, NOON.timestamp())
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def notes() -> Remembered:
    return Remembered()


@pytest.fixture
def client(settings: Settings, ledger: Ledger, notes: Remembered) -> Iterator[TestClient]:
    with client_of(settings, ledger, notes) as opened:
        yield opened


def twilio_headers(form: dict[str, str], query: str = QUERY) -> dict[str, str]:
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC_URL}/webhooks/twilio{query}", form)
    return {twilio.SIGNATURE: signature, **FORMED}


def from_twilio(client: TestClient, form: dict[str, str], headers: dict[str, str], query: str = QUERY) -> int:
    return int(client.post(f"/webhooks/twilio{query}", content=urlencode(form), headers=headers).status_code)


def test_a_copy_of_what_sendgrid_sent_is_refused_counted_and_changes_nothing(
    client: TestClient, signer: Signer, ledger: Ledger, notes: Remembered
) -> None:
    headers = signer.sendgrid(BODY, NOON.timestamp())
    assert client.post("/webhooks/sendgrid", content=BODY, headers=headers).status_code == 204
    again = client.post("/webhooks/sendgrid", content=BODY, headers=headers)
    assert (again.status_code, again.json()["code"]) == (403, "replayed")
    other = signer.sendgrid(BODY, NOON.timestamp())
    assert other != headers, "ECDSA signs the same thing differently each time"
    assert client.post("/webhooks/sendgrid", content=BODY, headers=other).status_code == 403
    assert len(ledger.reports) == 1
    assert notes.counted == ["sendgrid.replayed"] * 2


def test_sendgrids_own_next_try_is_taken_for_it_is_signed_anew(
    client: TestClient, signer: Signer, ledger: Ledger
) -> None:
    ledger.away = True
    headers = signer.sendgrid(BODY, NOON.timestamp())
    assert client.post("/webhooks/sendgrid", content=BODY, headers=headers).status_code == 503
    ledger.away = False
    later = signer.sendgrid(BODY, (NOON + timedelta(seconds=30)).timestamp())
    assert client.post("/webhooks/sendgrid", content=BODY, headers=later).status_code == 204
    assert client.post("/webhooks/sendgrid", content=BODY, headers=headers).status_code == 204, (
        "it was never kept"
    )
    assert len(ledger.reports) == 2


def test_twilios_own_second_try_gets_the_answer_of_the_first_and_changes_nothing(
    client: TestClient, ledger: Ledger, notes: Remembered
) -> None:
    headers = twilio_headers(FORM)
    assert [from_twilio(client, FORM, headers) for _ in range(3)] == [204] * 3
    assert len(ledger.reports) == 1
    assert notes.counted == ["twilio.repeated"] * 2


def test_what_is_wrong_with_a_signature_is_counted_by_its_kind(
    client: TestClient, signer: Signer, notes: Remembered
) -> None:
    old = signer.sendgrid(BODY, (NOON - timedelta(hours=1)).timestamp())
    assert client.post("/webhooks/sendgrid", content=BODY, headers=old).json()["code"] == "old"
    assert client.post("/webhooks/sendgrid", content=BODY).json()["code"] == "unsigned"
    forged = {**old, sendgrid.TIMESTAMP: str(int(NOON.timestamp()))}
    assert client.post("/webhooks/sendgrid", content=BODY, headers=forged).json()["code"] == "bad-signature"
    assert from_twilio(client, FORM, FORMED) == 403
    assert from_twilio(client, FORM, {**FORMED, twilio.SIGNATURE: "bad"}) == 403
    assert notes.counted == [
        "sendgrid.old",
        "sendgrid.unsigned",
        "sendgrid.bad-signature",
        "twilio.unsigned",
        "twilio.bad-signature",
    ]


@FEW
@given(at=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_sendgrids_own_library_and_we_refuse_a_body_with_any_byte_changed(at: int, flip: int) -> None:
    signer, headers = SIGNER, SIGNED
    signature, timestamp = headers[sendgrid.SIGNATURE], headers[sendgrid.TIMESTAMP]
    changed = BODY[:at] + bytes([BODY[at] ^ flip]) + BODY[at + 1 :]
    assert sendgrid.fault(signer.sendgrid_key, signature, timestamp, BODY, NOON) is None
    assert sendgrid.fault(signer.sendgrid_key, signature, timestamp, changed, NOON) == "bad-signature"
    library = EventWebhook(signer.sendgrid_key)
    assert library.verify_signature(BODY.decode(), signature, timestamp)
    try:
        text = changed.decode()
    except UnicodeDecodeError:
        return
    assert not library.verify_signature(text, signature, timestamp)


@FEW
@given(data=st.data())
def test_a_signature_or_a_time_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    signer, headers = SIGNER, SIGNED
    raw = base64.b64decode(headers[sendgrid.SIGNATURE])
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    forged = base64.b64encode(changed).decode()
    timestamp = headers[sendgrid.TIMESTAMP]
    assert sendgrid.fault(signer.sendgrid_key, forged, timestamp, BODY, NOON) == "bad-signature"
    other = str(int(timestamp) + data.draw(st.integers(-500, 500).filter(bool)))
    right = headers[sendgrid.SIGNATURE]
    assert sendgrid.fault(signer.sendgrid_key, right, other, BODY, NOON) == "bad-signature"


@FEW
@given(data=st.data())
def test_a_callback_of_twilio_with_any_letter_of_any_field_changed_is_refused(data: st.DataObject) -> None:
    whole = urlencode(FORM).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    letter = data.draw(st.sampled_from(b"abcXYZ0189-._"))
    changed = whole[:at] + bytes([letter]) + whole[at + 1 :]
    signature = twilio_headers(FORM)[twilio.SIGNATURE]
    url = f"{PUBLIC_URL}/webhooks/twilio{QUERY}"
    assert twilio.verify(TOKEN, url, twilio.read(whole), signature)
    try:
        form = twilio.read(changed)
    except twilio.Unreadable:
        form = twilio.Form()  # no form at all: 400
    if form != twilio.read(whole):
        assert not twilio.verify(TOKEN, url, form, signature)
    for other in (url + "x", url.replace("https:", "http:"), url.replace(KEY, "8" + KEY[1:])):
        assert not twilio.verify(TOKEN, other, twilio.read(whole), signature)


def test_what_was_refused_stands_in_the_store_and_the_doctor_tells_of_it(store: Store) -> None:
    ticks = [0.0]
    from dripline.clock import machine_clock

    notes = Notes(store, machine_clock, lambda: ticks[0])
    for _ in range(1_000):
        notes.count("sendgrid", "bad-signature")  # a flood: one write at once, one a second later
    ticks[0] += 2
    notes.count("twilio", "old")
    with store.read() as connection:
        assert tallied(connection, "webhook.", machine_clock()) == {
            "webhook.sendgrid.bad-signature": 1_000,
            "webhook.twilio.old": 1,
        }
        told = [finding.text for finding in _refused(connection)]
    assert told == [
        "refused from SendGrid within 7 days: 1,000 bad signature",
        "refused from Twilio within 7 days: 1 old",
    ]


def test_what_was_taken_is_remembered_for_a_day(store: Store) -> None:
    now = [NOON]
    notes = Notes(store, lambda: now[0])
    assert not notes.is_copy("sendgrid", "one")
    notes.took("sendgrid", "one")
    notes.took("sendgrid", "one")
    assert notes.is_copy("sendgrid", "one")
    assert not notes.is_copy("twilio", "one")
    with store.write() as connection:
        assert forget_receipts(connection, NOON + KEPT - KEPT) == 0
        assert forget_receipts(connection, NOON + timedelta(seconds=1)) == 1
        assert connection.execute(select(receipts)).all() == []
