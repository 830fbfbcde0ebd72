"""JSON from outside, as every database keeps it."""

from __future__ import annotations

import math
from typing import Any

MAX_DEPTH = 50
"""Levels within each other."""


def storable(value: Any, depth: int = 0) -> Any:
    """The value without what PostgreSQL's JSON refuses: NUL, halves of characters. Raises ValueError.

    Numbers that are none and what is nested too deep cannot be kept at all.
    """
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a number")
    return value
