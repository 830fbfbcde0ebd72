"""What a key may be for. Every address under /v1 names the one that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Scope = Literal[
    "track",
    "leads:read",
    "leads:write",
    "events:write",
    "journeys:write",
    "discounts:write",
    "reports:read",
    "reports:write",
    "products:write",
    "admin",
]

SCOPES: dict[Scope, str] = {
    "track": "say what a visitor does, as an app or a browser would; reads nothing",
    "leads:read": "see leads, their stories, runs, discounts, and what they answered",
    "leads:write": "create and change leads",
    "events:write": "record events",
    "journeys:write": "put leads into journeys",
    "discounts:write": "redeem discounts and take them back, add codes to pools",
    "reports:read": "read reports: figures, and nobody's name",
    "reports:write": "say what advertising cost",
    "products:write": "keep the catalogue",
    "admin": "everything, keys and the audit log too",
}
"""What each lets its bearer do."""

EVERYTHING = frozenset[str](SCOPES)

TRACK_ALONE = frozenset({"track"})
"""What is left of any key that is sent as a write key: it may lie open in an app or on a page."""


class UnknownScope(ValueError):
    """A scope that there is not, or none at all. The message says which, and what there is."""


def read_scopes(given: Iterable[str]) -> list[Scope]:
    """The scopes of these names, each once, in the order of the docs. Raises UnknownScope."""
    names = set(given)
    unknown = sorted(names - EVERYTHING)
    if unknown:
        raise UnknownScope(f"There is no scope {unknown[0]}; there are {', '.join(SCOPES)}.")
    if not names:
        raise UnknownScope(f"Say what the key is for: {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in names]
