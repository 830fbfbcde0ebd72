"""Who is served: callers with the key; without it, only somebody at this very machine."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

_FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
)
"""Any of these says that somebody else stands behind the loopback address."""


def may_enter(scope: Scope, key: str | None) -> bool:
    """Whether the caller gave the key, or needs none."""
    headers = Headers(scope=scope)
    if key and _has_key(headers.get("authorization", ""), key, scope["method"]):
        return True
    return _is_here(scope, headers)


def _has_key(authorization: str, key: str, method: str) -> bool:
    """`Bearer KEY`; for a browser that looks at pages also `Basic`, with the key as password."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic" and method in ("GET", "HEAD"):
        given = _password(given)
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), key.encode())


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _is_here(scope: Scope, headers: Headers) -> bool:
    """Whether the request comes from this machine, not through a proxy, and by no page of another site.

    The Host header must name this machine as well: a page whose name was rebound to 127.0.0.1 names itself.
    """
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return False
    if any(name in headers for name in _FORWARDED):
        return False
    origin = headers.get("origin")
    if origin is not None and not _names_here(urlsplit(origin).netloc):
        return False
    hosts = headers.getlist("host")
    return len(hosts) == 1 and _names_here(hosts[0])


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _names_here(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)
