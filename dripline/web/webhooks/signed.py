"""What a provider's signature is about, and what becomes of a request whose signature is not right."""

from __future__ import annotations

from typing import Protocol

import structlog
from fastapi import Request, Response

from dripline.settings import Settings
from dripline.web.problems import problem

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
