"""Chance that is not: the same for the same lead and journey, whenever and wherever it is drawn."""

from __future__ import annotations

import hashlib


def draw(*parts: str) -> float:
    """A number in [0, 1), evenly spread over different parts and always the same for equal ones."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
