"""Why a product is recommended, in words."""

from __future__ import annotations

from collections.abc import Mapping
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
