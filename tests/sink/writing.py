"""What leads write back, as the two providers hand it over: forms, signed by the providers' own rules."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.sink.signing import Signer


@dataclass(frozen=True)
class Handed:
    """A request as the provider makes it."""

    body: bytes
    headers: Mapping[str, str]


def an_sms(
    signer: Signer, url: str, sender: str, text: str, sid: str = "", at: str = "+15005550006", **more: str
) -> Handed:
    """An incoming message as Twilio posts it to `url`."""
    form = {
        "ToCountry": "US",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "FromCity": "",
        "MessageSid": sid or f"SM{uuid.uuid4().hex}",
        "AccountSid": "AC" + "5" * 32,
        "From": sender,
        "To": at,
        "Body": text,
        "ApiVersion": "2010-04-01",
        **more,
    }
    content = {"Content-Type": "application/x-www-form-urlencoded"}
    return Handed(urlencode(form).encode(), {**content, **signer.twilio(url, form)})


def a_mail(
    signer: Signer,
    sender: str,
    to: str,
    text: str,
    *,
    subject: str = "Re: Hello",
    headers: str = "",
    charset: str = "UTF-8",
    envelope_from: str | None = None,
    at: float | None = None,
    **more: str,
) -> Handed:
    """An incoming e-mail as SendGrid's Inbound Parse posts it, with a file attached to it."""
    id_ = more.pop("message_id", f"<{uuid.uuid4().hex}@mail.example>")
    fields = {
        "headers": f"Received: by mx.example\r\nMessage-ID: {id_}\r\nFrom: {sender}\r\nSubject: {subject}\r\n{headers}",
        "dkim": "{@example.com : pass}",
        "to": to,
        "from": sender,
        "text": text,
        "subject": subject,
        "sender_ip": "192.0.2.1",
        "envelope": json.dumps({"to": [to], "from": sender if envelope_from is None else envelope_from}),
        "charsets": json.dumps({"to": "UTF-8", "subject": "UTF-8", "from": "UTF-8", "text": charset}),
        "SPF": "pass",
        "attachments": "1",
        **more,
    }
    boundary = "xYzZY"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value.encode(charset if name == "text" else "utf-8", "replace")
        + b"\r\n"
        for name, value in fields.items()
        if value
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="attachment1"; filename="a.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
        + b"%PDF\x00\xff\r\n"
    )
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Handed(body, {**signer.sendgrid(body, at), **kind})
