"""What conditions and templates may ask of the catalogue: `recommend(lead)`, how many, and by which ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dripline.language.values import EvaluationError

RECOMMENDED = "_recommended"
"""The name under which a scope keeps what there is to recommend to its lead."""

FUNCTION = "recommend"
"""What conditions and templates call it."""

WAYS: Mapping[str, str] = {
    "together": "bought together with what the lead bought or put into its cart",
    "related": "named under `related` of what the lead bought, put into its cart or looked at",
    "upgrade": "named as `upgrade` of what the lead bought",
    "due": "bought, and used up by now",
    "carted": "put into the cart and not bought since",
    "viewed": "looked at or asked for and not bought since",
    "popular": "in the most orders of the last year",
}
"""By name, what leads from a lead to products."""

USUAL = ("together", "related", "upgrade")
"""The ways that are gone where none is named."""

USUALLY = 3
"""Products that are recommended where no number is said."""

MOST = 12
"""Products that can be asked for."""

KNOWN = ("id", "title", "category", "price", "currency", "url", "image", "way", "because", "both", "of")
"""What is known of each product that is recommended."""


@dataclass(frozen=True)
class Recommend:
    """What an expression calls to get products for its lead."""

    def chosen(self, found: Any, *wanted: Any) -> list[Mapping[str, Any]]:
        """Of what there is, so many by those ways. Raises EvaluationError where nobody looked."""
        if not isinstance(found, Sequence):
            raise EvaluationError("no-recommendations")
        return choose(found, *count_and_ways(wanted))


def count_and_ways(wanted: Sequence[Any]) -> tuple[int, tuple[str, ...]]:
    """How many, and by which ways, as said behind `lead`. Raises EvaluationError."""
    count = USUALLY
    if wanted and type(wanted[0]) is int:
        count, wanted = wanted[0], wanted[1:]
    if not 1 <= count <= MOST or any(one not in WAYS for one in wanted):
        raise EvaluationError("no-recommendations")
    return count, tuple(wanted) or USUAL


def choose(
    found: Sequence[Mapping[str, Any]], count: int = USUALLY, ways: Sequence[str] = USUAL
) -> list[Mapping[str, Any]]:
    """The first of what was found, way by way in the order named, no product twice."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for way in ways:
        for one in found:
            if one["way"] == way:
                chosen.setdefault(one["id"], one)
    return list(chosen.values())[:count]


RECOMMEND = Recommend()
"""The one that there is."""
