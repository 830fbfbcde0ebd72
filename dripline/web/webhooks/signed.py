"""What a provider's signature is about, and what becomes of a request whose signature is not right."""

from __future__ import annotations

from typing import Protocol

import structlog
from fastapi import Request, Response

from dripline.settings import Settings
from dripline.web.problems import RETRY_AFTER, problem
from dripline.web.webhooks import twilio

_WHY = {
    "unsigned": "The request is not signed.",
    "bad-signature": "The signature is wrong.",
    "old": "The request was signed too long ago, or at a time that is still to come.",
    "replayed": "This very request was taken before.",
}
_log = structlog.get_logger(__name__)


class Noted(Protocol):
    """What is kept of requests."""

    def is_copy(self, provider: str, request: str) -> bool:
        """Whether this very request was taken lately."""

    def took(self, provider: str, request: str) -> None:
        """Remember a request."""

    def count(self, provider: str, why: str) -> None:
        """Count one that was not taken."""


def refuse(notes: Noted, provider: str, why: str) -> Response:
    """403, logged and counted: `why` is unsigned, bad-signature, old or replayed."""
    _log.warning("webhook refused", provider=provider, reason=why)
    notes.count(provider, why)
    return problem(403, why, _WHY[why])


def public_url(settings: Settings, request: Request) -> str:
    """The address that the provider was given, query and all, which a proxy in between may have changed."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    url = settings.public_url.rstrip("/") + path.decode("latin-1")
    return f"{url}?{query.decode('latin-1')}" if query else url


def twilio_form(settings: Settings, notes: Noted, request: Request, body: bytes) -> twilio.Form | Response:
    """The form that Twilio has sent and signed; or what to answer where it is not that."""
    token = settings.twilio_auth_token
    if token is None:
        return problem(404, "not-set-up", "Twilio's webhook is not set up here.")
    try:
        form = twilio.read(body)
    except twilio.Unreadable:
        return problem(400, "malformed", "The body is not a form.")
    signature = request.headers.get(twilio.SIGNATURE)
    if not twilio.verify(token.get_secret_value(), public_url(settings, request), form, signature):
        return refuse(notes, "twilio", "bad-signature" if signature else "unsigned")
    return form


def away(provider: str) -> Response:
    """503, so that the provider tells it again: the store does not answer."""
    _log.warning("webhook not kept", provider=provider, reason="store unavailable")
    return problem(
        503, "store-away", "The store is away. Try again.", headers={"Retry-After": str(RETRY_AFTER)}
    )
