"""SendGrid's event webhook: verify it, put its words into ours, return."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from dripline.providers import DeliveryReport
from dripline.tracking.addresses import may_lead_to, without_query

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

TOLERANCE = timedelta(minutes=10)
"""How old or how far ahead a signed request may be. SendGrid tries for 24 hours, and signs each try anew."""

MOST_EVENTS = 5_000
"""Events in one request; SendGrid sends about a thousand at most."""

_NAME = re.compile(r"[!-~]{1,64}")
"""What a key of ours, or an id of theirs, may look like."""

# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
_KINDS = {
    "processed": "accepted",
    "deferred": "accepted",  # not delivered yet, but surely taken
    "delivered": "delivered",
    "dropped": "failed",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
_DROPPED = {
    "bounced address": "sendgrid.dropped.bounced-address",
    "invalid": "sendgrid.dropped.invalid",
    "invalid smtpapi header": "sendgrid.dropped.invalid",
    "recipient list over package quota": "sendgrid.dropped.quota",
    "spam content (if spam checker app enabled)": "sendgrid.dropped.spam-content",
    "spam reporting address": "sendgrid.dropped.complained",
    "unsubscribed address": "sendgrid.dropped.unsubscribed",
}


Fault = Literal["unsigned", "bad-signature", "old"]


class Unreadable(Exception):
    """The request is not a list of events, or of too many."""


def verify(public_key: str, signature: str | None, timestamp: str | None, body: bytes, now: datetime) -> bool:
    """Whether SendGrid signed this body within the tolerance of `now` (machine time)."""
    return fault(public_key, signature, timestamp, body, now) is None


def fault(
    public_key: str, signature: str | None, timestamp: str | None, body: bytes, now: datetime
) -> Fault | None:
    """Why this is not taken for SendGrid's: nobody signed it, somebody else did, or it was long ago; None: it is.

    `public_key` is the base64 text of SendGrid's pages. Nothing that a caller may send, and no bad key, raises.
    """
    if not signature or not timestamp:
        return "unsigned"
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not _is_signed(public_key, signature, timestamp, body):
        return "bad-signature"
    age = abs(now.timestamp() - int(timestamp))
    return "old" if age > TOLERANCE.total_seconds() else None


def _is_signed(public_key: str, signature: str, timestamp: str, body: bytes) -> bool:
    try:
        key = load_der_public_key(base64.b64decode(public_key.strip(), validate=True))
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(given, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def request_of(timestamp: str, body: bytes) -> str:
    """By what a copy is known. Not the signature: of one request anybody can make a second that is as right."""
    return hashlib.sha256(timestamp.encode() + body).hexdigest()


def translate(body: bytes, now: datetime) -> list[DeliveryReport]:
    """What the events say of our messages, in their order; other people's messages and unknown events are left out.

    Raises Unreadable. An event without a time of its own has that of `now`.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Unreadable
    reports = (_report(event, now) for event in events if isinstance(event, dict))
    return [report for report in reports if report is not None]


def _report(event: Mapping[str, Any], now: datetime) -> DeliveryReport | None:
    key, word = event.get("dripline_key"), event.get("event")
    if not isinstance(key, str) or not _NAME.fullmatch(key) or not isinstance(word, str):
        return None
    kind, reason = _bounce(event) if word == "bounce" else (_KINDS.get(word), None)
    if kind is None:
        return None
    if word == "dropped":
        reason = _DROPPED.get(str(event.get("reason")).lower(), "sendgrid.dropped")
    return DeliveryReport(
        key,
        kind,
        _time(event.get("timestamp"), now),
        _message_id(event),
        reason,
        link=_link(event) if kind == "clicked" else None,
        # Fetched by a mail program, seen by nobody.
        by_machine=word == "open" and event.get("sg_machine_open") is True,
        soft=_is_soft(word, event),
    )


def _link(event: Mapping[str, Any]) -> str | None:
    url = event.get("url")
    return without_query(url) if isinstance(url, str) and may_lead_to(url) else None


def _is_soft(word: str, event: Mapping[str, Any]) -> bool:
    """Whether the address refused it for the moment: a full mailbox, a server that is away.

    What is about the sender (security and policy, RFC 3463's class 7) says nothing of the address.
    """
    if word != "deferred" and not (word == "bounce" and event.get("type") == "blocked"):
        return False
    status = event.get("status")
    return not (isinstance(status, str) and re.fullmatch(r"[245]\.7\.\d{1,3}", status))


def _bounce(event: Mapping[str, Any]) -> tuple[str, str]:
    """A `bounce` is for good; a `blocked` one says nothing of the address. The text of either may quote it."""
    status = event.get("status")
    told = isinstance(status, str) and re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status)  # RFC 3463
    detail = f".{status}" if told else ""
    if event.get("type") == "blocked":
        return "failed", f"sendgrid.blocked{detail}"
    return "bounced", f"sendgrid.bounced{detail}"


def _time(seconds: object, now: datetime) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return now
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return now


def _message_id(event: Mapping[str, Any]) -> str | None:
    """The `X-Message-Id` of the send, which events carry with their own additions after a dot."""
    full = event.get("sg_message_id")
    name = full.split(".")[0] if isinstance(full, str) else ""
    return name if _NAME.fullmatch(name) else None
