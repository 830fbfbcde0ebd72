"""Twilio's message status callback: verify it, put its words into ours, return."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from dripline.providers import DeliveryReport

SIGNATURE = "X-Twilio-Signature"

KEY = "key"
"""Name of the key in the query of the callback's URL."""

_MOST_FIELDS = 200
_NAME = re.compile(r"[!-~]{1,64}")
"""What a key of ours, or an id of theirs, may look like."""

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
_KINDS = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

# Delivery errors of Twilio's dictionary, https://www.twilio.com/docs/api/errors/CODE for each.
_REASONS = {
    "21610": "twilio.unsubscribed",  # the recipient answered STOP to this sender
    "30001": "twilio.queue-full",
    "30002": "twilio.account-inactive",
    "30003": "twilio.unreachable-handset",  # switched off, out of reach: may be back tomorrow
    "30004": "twilio.blocked",  # by the recipient or the carrier
    "30005": "twilio.unknown-handset",  # the number does not exist any more
    "30006": "twilio.landline",  # or a carrier that cannot be reached
    "30007": "twilio.filtered",  # by the carrier, as spam
    "30008": "twilio.unknown-error",
    "30034": "twilio.unregistered-sender",  # US A2P 10DLC
}
_FOR_GOOD = frozenset({"30005", "30006"})
"""Errors of the number itself: no message will ever arrive there."""


_FOR_NOW = frozenset({"30003"})
"""Errors of a number that may be back tomorrow."""


class Unreadable(Exception):
    """The request is not a form, or has too many fields."""


Form = ImmutableMultiDict[str, str]


def read(body: bytes) -> Form:
    """The form that Twilio posts. Raises Unreadable."""
    try:
        text = body.decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Unreadable from None


def verify(token: str, url: str, form: Form, signature: str | None) -> bool:
    """Whether Twilio signed this form, posted to `url`: the whole public one, query included."""
    if not signature:
        return False
    try:
        return bool(RequestValidator(token).validate(url, form, signature))
    except ValueError:  # a URL that cannot be taken apart
        return False


def translate(query: Mapping[str, str], form: Form, now: datetime) -> list[DeliveryReport]:
    """What the callback says of the message whose key is in the query; nothing for an unknown key or word.

    Twilio tells no time, so it is `now`.
    """
    key, status = query.get(KEY, ""), form.get("MessageStatus", "")
    if not _NAME.fullmatch(key) or status not in _KINDS:
        return []
    named = form.get("MessageSid", "")
    sid = named if _NAME.fullmatch(named) else None
    kind, code = _KINDS[status], form.get("ErrorCode", "")
    if kind != "failed":
        return [DeliveryReport(key, kind, now, sid)]
    if code in _FOR_GOOD:
        kind = "bounced"
    reports = [DeliveryReport(key, kind, now, sid, _reason(status, code), soft=code in _FOR_NOW)]
    if code == "21610":
        reports.append(DeliveryReport(key, "unsubscribed", now, sid, _REASONS[code]))
    return reports


def _reason(status: str, code: str) -> str:
    if code in _REASONS:
        return _REASONS[code]
    return (
        f"twilio.error-{code}" if code.isascii() and code.isdigit() and len(code) <= 6 else f"twilio.{status}"
    )
