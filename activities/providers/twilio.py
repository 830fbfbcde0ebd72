"""SMS by Twilio, through the official client; the status callback carries the key."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.response import Response
from twilio.rest import Client

from activities.providers.wire import Answer, NoAnswer, NotSent, Wire, basic_auth, retry_after
from dripline.clock import MachineClock, machine_clock
from dripline.providers import Accepted, NotAccepted, Outgoing, PermanentFailure, ProviderError, Uncertain

CLOCK_MARGIN = timedelta(seconds=5)
"""How far Twilio's clock (which tells whole seconds) may be behind ours when its records are searched."""

MOST_SEARCHED = 1000
"""Messages to one number that `find` looks through, the newest first."""

# Twilio's error dictionary, https://www.twilio.com/docs/api/errors/CODE for each.
# Ours, or the account's, to set right: the same message is good afterwards, so it waits.
WAITS = {
    14107: "twilio.rate-limited",  # message rate limit exceeded
    20003: "twilio.unauthorized",  # authentication error: wrong or revoked credentials
    20005: "twilio.account-inactive",
    20006: "twilio.unauthorized",  # access denied: the key may not do this
    20403: "twilio.unauthorized",  # forbidden
    20404: "twilio.not-found",  # no such resource: a wrong account or base address
    20429: "twilio.rate-limited",  # too many requests
    21609: "twilio.invalid-callback",  # Twilio cannot use our public address
    21611: "twilio.queue-full",  # this sender has ten hours' worth of messages waiting
    21703: "twilio.sender-not-ready",  # the messaging service has no sender
    21704: "twilio.sender-not-ready",  # the messaging service has no sender for this channel
    30001: "twilio.queue-full",  # queue overflow
    30002: "twilio.account-inactive",  # account suspended
    63017: "twilio.rate-limited",
    63038: "twilio.daily-limit",  # the account's messages of 24 hours
}
# The message's own fault: it will never be taken as it is.
REFUSED = {
    21211: "twilio.invalid-recipient",  # invalid 'To' phone number
    21212: "twilio.invalid-sender",  # invalid 'From' number
    21217: "twilio.invalid-recipient",  # the number does not appear to be valid
    21265: "twilio.invalid-recipient",  # 'To' cannot be a short code
    21266: "twilio.invalid-recipient",  # 'To' and 'From' are the same
    21268: "twilio.invalid-recipient",  # 'To' is a premium or information number
    21401: "twilio.invalid-sender",  # not an SMS-enabled number or sender id of ours
    21408: "twilio.region-not-enabled",  # permission to send to that country is not switched on
    21601: "twilio.invalid-sender",  # not an SMS-capable number of ours
    21602: "twilio.empty",  # a body is required
    21603: "twilio.invalid-sender",  # a 'From' is required
    21604: "twilio.invalid-recipient",  # a 'To' is required
    21605: "twilio.too-long",
    21606: "twilio.invalid-sender",  # 'From' cannot send to this destination or is not the account's
    21608: "twilio.unverified-recipient",  # trial accounts send to verified numbers only
    21610: "twilio.unsubscribed",  # the recipient answered STOP to this sender
    21612: "twilio.unroutable",  # no route from this 'From' to this 'To'
    21614: "twilio.not-mobile",  # 'To' is not a mobile number
    21617: "twilio.too-long",  # more than 1,600 characters
    21619: "twilio.empty",  # a text or a medium is required
    21635: "twilio.not-mobile",  # 'To' is a landline
    21659: "twilio.invalid-sender",  # 'From' is not Twilio's, or a short code of another country
    21660: "twilio.invalid-sender",  # 'From' belongs to another account
    21661: "twilio.invalid-sender",  # 'From' is not SMS-capable
    30034: "twilio.unregistered-sender",  # US A2P 10DLC: the number is not registered
}
_MOVED = frozenset({301, 302, 307, 308})  # 303 alone says that the request was carried out (RFC 9110, 15.4)
_HOST = "https://api.twilio.com"


class Twilio:
    """Twilio as a provider. `timeout`: seconds for one call, all in all."""

    name = "twilio"
    channel = "sms"
    repeatable = False

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        timeout: float,
        base_url: str = _HOST,
        clock: MachineClock = machine_clock,
    ) -> None:
        self._account_sid, self._auth_token = account_sid, auth_token
        self._timeout, self._clock = timeout, clock
        self._wire = Wire(base_url)

    def send(self, message: Outgoing) -> Accepted:
        """Send once. Never retries by itself. A sender `MG…` is a messaging service."""
        transport = _Transport(self._wire, time.monotonic() + self._timeout)
        try:
            taken = self._messages(transport).create(**_body(message))
        except NotSent as trouble:
            raise NotAccepted(f"twilio.{trouble.reason}") from None
        except NoAnswer as trouble:
            raise Uncertain(f"twilio.{trouble.reason}") from None
        except (TwilioRestException, TwilioServiceException) as refusal:
            code = refusal.code
        except Exception:  # whatever the client trips over in an answer of 2xx
            raise Uncertain("twilio.unreadable") from None
        else:
            if isinstance(taken.sid, str) and taken.sid:
                return Accepted(taken.sid)
            raise Uncertain("twilio.unreadable")
        raise _refusal(transport.answer, code, self._clock())

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        """The oldest in Twilio's list with this recipient, sender and text, made at or after `since`.

        A message that Twilio still has in its queue has no sending date and may not be listed yet. Raises
        Uncertain where the list cannot be had: nothing is known then.
        """
        transport = _Transport(self._wire, time.monotonic() + self._timeout)
        earliest = since.astimezone(UTC) - CLOCK_MARGIN
        try:
            listed = self._messages(transport).list(
                to=message.to, date_sent_after=earliest, page_size=100, limit=MOST_SEARCHED
            )
            found = [
                (entry.date_created, entry.sid)
                for entry in listed
                if entry.sid not in known and _is_it(entry, message, earliest)
            ]
        except (NotSent, NoAnswer, TwilioException, ValueError, TypeError, AttributeError, LookupError):
            raise Uncertain("twilio.list-unavailable") from None
        return min(found)[1] if found else None

    def _messages(self, transport: _Transport) -> Any:
        # The client asks the environment for a region only if it is given no variables of its own.
        return Client(
            self._account_sid, self._auth_token, http_client=transport, environment={"TWILIO_REGION": ""}
        ).messages


def _body(message: Outgoing) -> dict[str, str]:
    body = {"to": message.to, "body": message.text}
    body["messaging_service_sid" if _is_service(message.sender) else "from_"] = message.sender
    if message.status_callback:
        body["status_callback"] = message.status_callback
    return body


def _is_service(sender: str) -> bool:
    return len(sender) == 34 and sender.startswith("MG")


def _is_it(entry: Any, message: Outgoing, earliest: datetime) -> bool:
    sender = entry.messaging_service_sid if _is_service(message.sender) else entry.from_
    return bool(
        entry.to == message.to
        and sender == message.sender
        and (entry.body or "").strip() == message.text.strip()
        and (entry.direction or "").startswith("outbound")
        and entry.date_created is not None
        and entry.date_created >= earliest
    )


def _refusal(answer: Answer | None, code: object, now: datetime) -> ProviderError:
    if answer is None:
        return Uncertain("twilio.unreadable")
    if not (400 <= answer.status < 500 or answer.status in _MOVED):
        return Uncertain(f"twilio.http-{answer.status}")
    after = retry_after(answer.headers, now)
    if isinstance(code, int) and code in WAITS:
        return NotAccepted(WAITS[code], after)
    if answer.status == 429:
        return NotAccepted("twilio.rate-limited", after)
    if answer.status == 401:
        return NotAccepted("twilio.unauthorized", after)
    if isinstance(code, int) and code >= 10_000:  # the client puts the status where Twilio gave no code
        return PermanentFailure(REFUSED.get(code, f"twilio.error-{code}"))
    # Not in Twilio's form: somebody in between, say a proxy, and not the message's fault.
    return NotAccepted(f"twilio.http-{answer.status}", after)


class _Transport:
    """The official client's HTTP client for one call. It keeps the last answer, and logs nothing."""

    is_async = False

    def __init__(self, wire: Wire, deadline: float) -> None:
        self._wire, self._deadline = wire, deadline
        self.answer: Answer | None = None

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        target = url.removeprefix(_HOST)
        if params:
            target += "?" + urlencode(params, doseq=True)
        body = urlencode(data, doseq=True).encode() if data else None
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = basic_auth(*auth)
        self.answer = self._wire.exchange(method, target, sent, body, self._deadline)
        text = self.answer.body.decode("utf-8", "replace")
        return Response(self.answer.status, text, self.answer.headers)
