"""What a request says of who sends it: a key that it carries, or that it comes from this very machine."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass
from typing import Literal
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


@dataclass(frozen=True)
class Given:
    """A key, and how it was given: that decides what it is good for."""

    secret: str
    how: Literal["bearer", "user", "password"]


def given_key(scope: Scope) -> Given | None:
    """The key that the request carries, or None where it carries nothing.

    `Bearer KEY`; `Basic` with the key as user (Segment's write key), or as password. What cannot be read is the
    key "", which nobody has: who gives something does not come in as somebody who gives nothing.
    """
    authorization = Headers(scope=scope).get("authorization")
    if authorization is None:
        return None
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return Given(rest.strip(), "bearer")
    if scheme.lower() != "basic":
        return Given("", "bearer")
    user, password = _pair(rest)
    return Given(password, "password") if password else Given(user, "user")


def _pair(credentials: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return user, password


def visitor_address(scope: Scope) -> str:
    """The IP address that a request comes from, as far as a proxy in front of us tells it truly.

    Only a peer of our own network is believed, and only the last address that it names, which is the one that it saw
    itself: some proxies write it into a header of its own, below those of the visitor.
    """
    client = scope.get("client")
    peer = client[0] if client else ""
    named = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).rpartition(",")[2].strip()
    try:
        if named and ipaddress.ip_address(peer).is_private:
            return str(ipaddress.ip_address(named))
    except ValueError:
        return peer
    return peer


def network_of(address: str) -> str:
    """Whose pace it is: in IPv6 everybody has a whole /64, so an address of it says nothing (RFC 6177)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address) or ip.ipv4_mapped:
        return str(getattr(ip, "ipv4_mapped", None) or ip)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False))


def is_here(scope: Scope) -> bool:
    """Whether the request comes from this machine, not through a proxy, and by no page of another site.

    The Host header must name this machine as well: a page whose name was rebound to 127.0.0.1 names itself.
    """
    headers = Headers(scope=scope)
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
