"""Why a product is recommended, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def say_why(pick: Mapping[str, Any]) -> str:
    """The reason of a recommendation, as `recommend(lead)` gives it."""
    match pick["way"]:
        case "together":
            return f"in {pick['both']:,} of the {pick['of']:,} orders with {pick['because']}"
        case "related":
            return f"goes with {pick['because']}"
        case "upgrade":
            return f"better than {pick['because']}"
        case "due":
            return "bought, and used up by now"
        case "carted":
            return "in the cart, and not bought since"
        case "viewed":
            return "looked at or asked for, and not bought since"
        case _:
            return f"in {pick['of']:,} orders of the last year"


def recommended_said(found: Sequence[Mapping[str, Any]] | None) -> str:
    """What a message had to recommend, way by way; nothing where its template did not ask."""
    if found is None:
        return ""
    ways: dict[str, list[str]] = {}
    for one in found:
        because = f", because of {one['because']}" if one["because"] else ""
        ways.setdefault(one["way"], []).append(f"{one['id']}{because}")
    said = "; ".join(f"{way} {' and '.join(ids)}" for way, ids in ways.items())
    return f", of which it may recommend: {said}" if said else ", with nothing to recommend"
