"""SendGrid's Inbound Parse: a form with an e-mail in it, put into our words.

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any

from dripline.ingest.identity import NotNormal, normal_email
from dripline.ingest.inbound import Came, Intent, intent_of
from dripline.ingest.inbound.mail import Mail, made_mail, new_text, read_headers, read_mail
from dripline.replies import Addressed, ReplyAddresses

_FIELDS = ("headers", "from", "to", "subject", "text", "html", "envelope", "charsets", "dkim", "SPF", "email")
_ADDRESS = re.compile(r"[^\s<>,;\"()]{1,250}@[^\s<>,;\"()]{1,250}")
_SIGNED_BY = re.compile(r"@([a-z0-9_.-]{1,253})\s*:\s*pass\b", re.IGNORECASE)
"""A domain whose DKIM signature was right, as SendGrid writes it: `{@example.com : pass}`."""
_MOST_ADDRESSES = 50


class Unreadable(Exception):
    """The request is not the form that SendGrid sends."""


@dataclass(frozen=True)
class Parsed:
    """An e-mail, the addresses that it was sent to, and whether its sender is surely the one whom it names."""

    mail: Mail
    recipients: tuple[str, ...]
    trusted: bool


def parse(content_type: str, body: bytes) -> Parsed:
    """The e-mail that SendGrid hands over. Attachments are left. Raises Unreadable."""
    fields = _fields(content_type, body)
    if not fields.keys() & {"from", "envelope", "email"}:
        raise Unreadable
    charsets = _json(fields.get("charsets"))
    said = {name: _text(value, charsets.get(name)) for name, value in fields.items() if name != "email"}
    envelope = _json(fields.get("envelope"))
    try:
        mail = _mail(fields, said)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        raise Unreadable from None  # the mail library stumbles over headers that are none
    given = [one for one in _listed(envelope.get("to")) if isinstance(one, str)]
    recipients = dict.fromkeys(_ADDRESS.findall(" ".join([*given, said.get("to", "")])[:20_000]))
    bounced = (
        envelope.get("from") == "" and "envelope" in fields
    )  # the empty sender of reports (RFC 5321, 4.5.5)
    mail = Mail(
        mail.id, mail.sender, mail.subject or said.get("subject", ""), mail.text, mail.automatic or bounced
    )
    surely = _is_surely_from(mail.sender, envelope.get("from"), said)
    return Parsed(mail, tuple(recipients)[:_MOST_ADDRESSES], surely)


def _is_surely_from(sender: str, envelope_from: object, said: Mapping[str, str]) -> bool:
    """Whether SPF or DKIM vouch for the domain that the reader sees, as DMARC asks (RFC 7489, 3.1).

    Either alone vouches only for whoever handed the mail in: everybody's mail passes for everybody's own domain.
    """
    vouched = _SIGNED_BY.findall(said.get("dkim", "")[:10_000])
    if said.get("SPF", "").strip().lower() == "pass" and isinstance(envelope_from, str):
        vouched.append(_domain(envelope_from))
    return any(_is_of(_domain(sender), one.lower()) for one in vouched)


def _domain(address: str) -> str:
    return address.strip().strip("<>").rpartition("@")[2].lower()


def _is_of(domain: str, other: str) -> bool:
    """Whether it is one domain, or one is below the other. A name without a dot stands for nobody."""
    if "." not in domain or "." not in other:
        return False
    return domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}")


def _mail(fields: Mapping[str, bytes], said: Mapping[str, str]) -> Mail:
    if "email" in fields:  # the setting "POST the raw, full MIME message"
        return read_mail(fields["email"])
    headers = read_headers(said.get("headers", ""))
    if "from" not in headers:
        headers["From"] = " ".join(said.get("from", "")[:1_000].split())  # in one line
    return made_mail(headers, "", said.get("text", ""), said.get("html", ""))


def translate(parsed: Parsed, addresses: ReplyAddresses | None) -> Came | None:
    """What came, in our words; None where it has no sender that could be anybody's."""
    mail = parsed.mail
    try:
        sender = normal_email(mail.sender)
    except NotNormal:
        return None
    addressed = _addressed(parsed.recipients, addresses)
    text = new_text(mail.text)
    intent: Intent = "automatic" if mail.automatic else "reply"
    unsubscribes = addressed is not None and addressed.purpose == "unsubscribe"
    if unsubscribes or (intent == "reply" and (intent_of(text) or intent_of(text.split("\n")[0])) == "stop"):
        intent = "stop"
    digest = hashlib.sha256(f"{mail.id or mail.text}\n{sender}".encode("utf-8", "replace")).hexdigest()
    return Came(
        id=f"mail-{digest[:40]}",
        channel="email",
        sender=sender,
        text=text,
        intent=intent,
        recipient=parsed.recipients[0] if parsed.recipients else None,
        subject=mail.subject or None,
        answers=addressed.message if addressed else None,
        trusted=parsed.trusted,
        topic_only=unsubscribes,
    )


def _addressed(recipients: Iterable[str], addresses: ReplyAddresses | None) -> Addressed | None:
    if addresses is None:
        return None
    return next(filter(None, (addresses.read(one) for one in recipients)), None)


def _fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The inputs of a multipart form as bytes, files left out. The mail library reads it: it forgives everything."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise Unreadable
    head = content_type.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
    form = message_from_bytes(b"Content-Type: " + head + b"\r\n\r\n" + body)
    fields: dict[str, bytes] = {}
    parts = form.get_payload() if form.is_multipart() else []
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and name in _FIELDS and name not in fields and not part.is_multipart():
            payload = part.get_payload(decode=True)
            fields[name] = payload.removesuffix(b"\r\n") if isinstance(payload, bytes) else b""
    return fields


def _text(value: bytes, charset: object) -> str:
    for name in (charset if isinstance(charset, str) else None, "utf-8"):
        try:
            return value.decode(name or "utf-8")
        except (LookupError, UnicodeError, ValueError):
            continue
    return value.decode("latin-1")


def _json(value: bytes | None) -> Mapping[str, Any]:
    try:
        found = json.loads(value or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
