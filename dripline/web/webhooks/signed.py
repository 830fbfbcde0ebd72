"""What a provider's signature is about."""

from __future__ import annotations

from fastapi import Request

from dripline.settings import Settings


def public_url(settings: Settings, request: Request) -> str:
    """The address that the provider was given, query and all, which a proxy in between may have changed."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    url = settings.public_url.rstrip("/") + path.decode("latin-1")
    return f"{url}?{query.decode('latin-1')}" if query else url
