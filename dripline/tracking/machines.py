"""Programs that fetch pixels and follow links without anybody having looked, told by what they say of themselves.

What is published of them: Apple's Mail Privacy Protection fetches every picture, read or not, as `Mozilla/5.0` and
nothing else. Gmail and Yahoo fetch pictures by a proxy when the message is looked at, so theirs are opens by people;
only Gmail's look ahead, which calls itself an Edge of 2015, is not. What says it is fetching ahead (`Sec-Purpose`,
`Purpose`, `X-Moz`, `X-Purpose`) is believed. Nothing here is kept but the kind that comes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from crawleruseragents import is_crawler

from dripline.store.hits import UNDECIDED

Kind = Literal["open", "click"]

TOO_QUICK = "too-quick"
BURST = "burst"
BY_PROVIDER = "provider"
"""Its provider says that it was a machine."""

_AHEAD = {
    "sec-purpose": "prefetch",
    "purpose": "prefetch",
    "x-moz": "prefetch",
    "x-purpose": "preview",
}
_FOR_PEOPLE = re.compile(r"GoogleImageProxy|YahooMailProxy|ms-office|MSOffice|Microsoft Outlook")
"""Fetch the pictures of a message that somebody is looking at."""
_GMAIL_AHEAD = "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
_SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|messagelabs|symantec|safelinks|defender|fortiguard|fortinet|trend ?micro|sophos"
    r"|zscaler|cloudmark|ironport|forcepoint|websense|checkpoint|mcafee|bitdefender|avanan|vade|hornetsecurity|spamtitan"
    r"|urldefense|phish|microsoft office (?:existence|protocol) discovery|ms-office|msoffice",
    re.IGNORECASE,
)
"""Security products that name themselves. Office programs follow a link before they open a browser for it."""
_BARE = re.compile(r"Mozilla/\d\.\d", re.ASCII)

KINDS: Mapping[str, str] = {
    "apple-privacy": "Apple's privacy proxy",
    "gmail-ahead": "Gmail, ahead of its reader",
    "scanner": "a security scanner",
    "robot": "a robot",
    "nameless": "a program without a name",
    "prefetch": "a browser, ahead of its reader",
    "head": "a look at the address alone",
    TOO_QUICK: "too quick for a person",
    BURST: "many links at once",
    BY_PROVIDER: "the provider says so",
    UNDECIDED: "not yet told from a machine",
}
"""Every kind of machine, in words."""


def machine(kind: Kind, method: str, headers: Mapping[str, str]) -> str | None:
    """What kind of machine made the request; None for a person, as far as it tells. `headers` in lower case."""
    if method != "GET":
        return "head"
    if any(wanted in headers.get(name, "").lower() for name, wanted in _AHEAD.items()):
        return "prefetch"
    agent = headers.get("user-agent", "").strip()[:1_000]
    if not agent:
        return "nameless"
    if _BARE.fullmatch(agent):
        return "apple-privacy" if kind == "open" else "nameless"
    if _GMAIL_AHEAD in agent:
        return "gmail-ahead"
    if kind == "open" and _FOR_PEOPLE.search(agent):
        return None
    if _SCANNERS.search(agent):
        return "scanner"
    return "robot" if is_crawler(agent) else None


__all__ = ["BURST", "BY_PROVIDER", "KINDS", "TOO_QUICK", "Kind", "machine"]
