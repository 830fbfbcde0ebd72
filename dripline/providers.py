"""What a provider of messages is: one verb, two ways to fail, and one way not to know.

    ProviderError
    ├── NotAccepted        the provider surely did not take it; the same send may be tried again
    ├── PermanentFailure   the provider surely did not take it and never will (documented refusals)
    └── Uncertain          the provider may have taken it (read timeout, dropped connection, 5xx)

Messages of these errors carry our own codes only, never an address, a number or a provider's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """A message ready to leave. `key` is the caller's, and the same on every try."""

    key: str
    channel: str
    to: str
    """An e-mail address, or a phone number in E.164."""
    sender: str
    sender_name: str | None
    subject: str | None
    html: str | None
    text: str
    status_callback: str | None = None
    """Where the provider shall report delivery (carries the key); None where it is set up elsewhere."""
    unsubscribe: str | None = None
    """Where a POST of RFC 8058 takes the lead off the list; None for what the lead asked for, and for SMS."""
    reply_to: str | None = None
    """Where replies go that shall find this message; None: to the sender."""
    unsubscribe_mail: str | None = None
    """Where an e-mail takes the lead off the list (RFC 2369), beside `unsubscribe`."""
    untouched: bool = False
    """The provider must neither lead links by way of itself nor add a pixel: we do, or nobody may."""

    def headers(self) -> dict[str, str]:
        """What mail programs are told besides (RFC 2369, RFC 8058, RFC 5322): the ways to leave, the best first."""
        told = {"Reply-To": self.reply_to} if self.reply_to else {}
        by_mail = self.unsubscribe_mail and f"mailto:{self.unsubscribe_mail}?subject=unsubscribe"
        ways = [f"<{way}>" for way in (self.unsubscribe, by_mail) if way]
        if ways:
            told["List-Unsubscribe"] = ", ".join(ways)
        if self.unsubscribe:
            told["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return told


@dataclass(frozen=True)
class Accepted:
    """The provider took the message; `provider_id` is its name for it, where it gave one."""

    provider_id: str | None


class ProviderError(Exception):
    """A send that did not surely succeed. `code` is ours, stable, and free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotAccepted(ProviderError):
    """Surely not taken; may be tried again, not before `retry_after` seconds where the provider said so."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class PermanentFailure(ProviderError):
    """Surely not taken, and trying again is of no use."""


class Uncertain(ProviderError):
    """May or may not have been taken: never tried again without being settled first."""


class Provider(Protocol):
    """One way to send messages of one channel."""

    name: str
    """As in task queue names and the ledger: `sendgrid`, `twilio`, `mailbox`."""
    channel: str
    """`email` or `sms`."""
    repeatable: bool
    """Whether a send may be repeated under the same key without being doubled: then it is never uncertain."""

    def send(self, message: Outgoing) -> Accepted:
        """Send once, within `http_timeout` seconds, or raise a ProviderError. Never retries by itself."""
        ...

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        """The provider's id of this message if its own records show that it was taken at or after `since` (UTC).

        Ids in `known` belong to other messages. None where the provider keeps no such records or shows none.
        """
        ...


@dataclass(frozen=True)
class DeliveryReport:
    """What a verified webhook says of one of our messages, in our words. Times are UTC."""

    key: str
    kind: str
    """`accepted`, `delivered`, `opened`, `clicked`, `bounced` (for good), `failed`, `complained`, `unsubscribed`."""
    at: datetime
    provider_id: str | None = None
    reason: str | None = None
    link: str | None = None
    """Where a click led, without its query."""
    by_machine: bool = False
    """Whether the provider says that no person opened it."""
    soft: bool = False
    """Whether the address refused it for the moment only: such a message may still arrive, or not."""
