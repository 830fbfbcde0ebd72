"""Which addresses a tracked link may lead to, and how they are written."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

LONGEST = 2_000
"""Characters of an address that is tracked; a longer one stays as it is."""

_OPEN_WEB = re.compile(r"https?://[!-~]+", re.IGNORECASE)
"""http and https alone, in printable ASCII: nothing that runs, and nothing that ends a header."""

_RESERVED = "%/:?#[]@!$&'()*+,;=~-._"


def may_lead_to(address: str) -> bool:
    """Whether a link of a message may lead there by way of us."""
    if len(address) > LONGEST or not _OPEN_WEB.fullmatch(address) or "\\" in address:
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def in_ascii(address: str) -> str:
    """The address as it goes over the wire: letters of other scripts written as IDNA and RFC 3986 say.

    One that is ASCII already stays as it is, to the letter.
    """
    address = address.strip(" \t\r\n\f")
    if address.isascii():
        return address
    try:
        parts = urlsplit(address)
        host = parts.netloc.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return address
    rest = (quote(part, safe=_RESERVED) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, host, *rest))


def without_query(address: str) -> str:
    """What is kept of an address: a query may hold anything of anybody."""
    return address.partition("#")[0].partition("?")[0]


__all__ = ["LONGEST", "in_ascii", "may_lead_to", "without_query"]
