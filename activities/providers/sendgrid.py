"""E-mail by SendGrid's v3 API, through the official client; the message's key travels in `custom_args`."""

from __future__ import annotations

import io
import json
import logging
import time
from datetime import datetime
from typing import Any

import python_http_client
from sendgrid import SendGridAPIClient

from activities.providers.wire import Answer, NoAnswer, NotSent, Wire, retry_after
from dripline.clock import MachineClock, machine_clock
from dripline.providers import (
    Accepted,
    NotAccepted,
    Outgoing,
    PermanentFailure,
    ProviderError,
    Uncertain,
)

KEY = "dripline_key"
"""Name of the custom argument; SendGrid repeats it in every event of the message."""

# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses.
# What the operator can set right waits for it: the same message is good once the key or the address is.
_WAITS = {
    401: "sendgrid.unauthorized",  # the key is wrong, revoked, or out of credits
    403: "sendgrid.unauthorized",  # the key may not send, or not for this sender
    404: "sendgrid.not-found",  # the base address is wrong
    405: "sendgrid.not-found",
}
_REFUSED = {
    413: "sendgrid.too-large",
    415: "sendgrid.unsupported-media",
}
# 303 alone of the redirects says that the request has been carried out (RFC 9110, 15.4).
_MOVED = frozenset({301, 302, 307, 308})


class SendGrid:
    """SendGrid as a provider. `timeout`: seconds for one call, all in all."""

    name = "sendgrid"
    channel = "email"
    repeatable = False

    def __init__(
        self,
        api_key: str,
        timeout: float,
        base_url: str = "https://api.sendgrid.com",
        clock: MachineClock = machine_clock,
    ) -> None:
        self._api_key, self._timeout, self._clock = api_key, timeout, clock
        self._base_url = base_url.rstrip("/")
        self._wire = Wire(self._base_url)
        # The client writes the API key and the whole message to its log at DEBUG.
        logging.getLogger("python_http_client.client").setLevel(logging.INFO)

    def send(self, message: Outgoing) -> Accepted:
        """Send once. Never retries by itself."""
        api = SendGridAPIClient(self._api_key, host=self._base_url)
        api.client = _Client(self._base_url, api.client.request_headers, self._wire, self._timeout)
        try:
            answer = api.send(_body(message))
        except NotSent as trouble:
            raise NotAccepted(f"sendgrid.{trouble.reason}") from None
        except NoAnswer as trouble:
            raise Uncertain(f"sendgrid.{trouble.reason}") from None
        if answer.status_code == 202:
            return Accepted(answer.headers.get("X-Message-Id"))
        raise _refusal(answer.status_code, answer.body, retry_after(answer.headers, self._clock()))

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        """Always None: SendGrid keeps no record that an ordinary key may search. Its webhook settles it."""
        return None


def _body(message: Outgoing) -> dict[str, Any]:
    sender = {"email": message.sender}
    if message.sender_name:
        sender["name"] = message.sender_name
    content = [{"type": "text/plain", "value": message.text}] if message.text else []
    if message.html:
        content.append({"type": "text/html", "value": message.html})  # must come after the plain text
    body: dict[str, Any] = {
        "personalizations": [{"to": [{"email": message.to}], "custom_args": {KEY: message.key}}],
        "from": sender,
        "subject": message.subject or "",
        "content": content,
    }
    headers = message.headers()
    if headers.pop("Reply-To", None):  # SendGrid has a field of its own for it, and refuses it as a header
        body["reply_to"] = {"email": message.reply_to}
    if headers:
        body["headers"] = headers
    if message.untouched:
        body["tracking_settings"] = {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        }
    return body


def _refusal(status: int, body: bytes, after: float | None) -> ProviderError:
    if status == 429:
        return NotAccepted("sendgrid.rate-limited", after)
    if status == 400:
        return PermanentFailure(_bad_request(body))
    if status in _REFUSED:
        return PermanentFailure(_REFUSED[status])
    if status in _WAITS:
        return NotAccepted(_WAITS[status], after)
    if 400 <= status < 500 or status in _MOVED:  # somebody in between, say a proxy: not the message's fault
        return NotAccepted(f"sendgrid.http-{status}", after)
    # 200 too: SendGrid documents 202 alone as "queued to be delivered".
    return Uncertain(f"sendgrid.http-{status}")


def _bad_request(body: bytes) -> str:
    """Which part of the message SendGrid refuses, as the first of its `errors` names it."""
    try:
        field = json.loads(body)["errors"][0]["field"]
    except (ValueError, LookupError, TypeError):
        return "sendgrid.invalid-request"
    if not isinstance(field, str):
        return "sendgrid.invalid-request"
    if field.startswith("personalizations") and ".to" in field:
        return "sendgrid.invalid-recipient"
    return "sendgrid.invalid-sender" if field.split(".")[0] == "from" else "sendgrid.invalid-request"


class _Client(python_http_client.Client):  # type: ignore[misc]  # the library has no types
    """The official HTTP client with our transport, so that it is known what was sent. Raises no refusal."""

    def __init__(
        self, host: str, request_headers: dict[str, str], wire: Wire, timeout: float, **path: Any
    ) -> None:
        super().__init__(host, request_headers, timeout=timeout, **{"version": 3, **path})
        self._wire = wire

    def _build_client(self, name: str | None = None) -> _Client:
        path = [*self._url_path, name] if name else self._url_path
        return _Client(
            self.host, self.request_headers, self._wire, self.timeout, version=self._version, url_path=path
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Any:
        deadline = time.monotonic() + (timeout or self.timeout)
        target = request.full_url.removeprefix(self.host)
        headers = dict(request.header_items())
        return _Received(self._wire.exchange(request.get_method(), target, headers, request.data, deadline))


class _Received(io.BytesIO):
    """An answer as the official client reads it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def info(self) -> Any:
        return self._answer.headers
