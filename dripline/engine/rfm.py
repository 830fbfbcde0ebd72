"""RFM: leads in fifths by how lately, how often and for how much they bought. Pure.

After Arthur Hughes, "Strategic Database Marketing": those who buy are ranked and cut into five parts of one size, 5
the best. By the book each of recency, frequency and money is ranked by itself, or (`nested`) frequency within each
fifth by recency, and money within each of those cells. Equals are never parted: a lead's fifth is told by how many
are behind it, so that all who bought once are in the same, and the least of all is always in 1.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Purchases:
    """What a lead bought: the day of its last order, how many there were, and for how much (minor units)."""

    lead: str
    last: date
    orders: int
    spent: int


@dataclass(frozen=True)
class Rank:
    """The fifths, 1 to 5, of one lead: 5 bought lately, often, and for much."""

    r: int
    f: int
    m: int


def ranked(buyers: Sequence[Purchases], nested: bool = False) -> dict[str, Rank]:
    """The fifths of all who bought, by the ids of the leads."""
    r = fifths(buyers, lambda one: one.last)
    if not nested:
        f = fifths(buyers, lambda one: one.orders)
        m = fifths(buyers, lambda one: one.spent)
    else:
        f = _within(buyers, lambda one: (r[one.lead],), lambda one: one.orders)
        m = _within(buyers, lambda one: (r[one.lead], f[one.lead]), lambda one: one.spent)
    return {one.lead: Rank(r[one.lead], f[one.lead], m[one.lead]) for one in buyers}


def fifths(buyers: Iterable[Purchases], value: Callable[[Purchases], Any]) -> dict[str, int]:
    """The fifth of each by one value: 1 and as many fifths of all as have less than it."""
    valued = [(one.lead, value(one)) for one in buyers]
    order = sorted(one for _, one in valued)
    fifth = {one: 1 + 5 * bisect_left(order, one) // len(order) for one in set(order)}
    return {lead: fifth[one] for lead, one in valued}


def _within(
    buyers: Sequence[Purchases],
    cell: Callable[[Purchases], tuple[int, ...]],
    value: Callable[[Purchases], Any],
) -> dict[str, int]:
    cells: dict[tuple[int, ...], list[Purchases]] = {}
    for one in buyers:
        cells.setdefault(cell(one), []).append(one)
    found: dict[str, int] = {}
    for some in cells.values():
        found |= fifths(some, value)
    return found


def as_told(buyer: Purchases, rank: Rank, spent: int | float) -> Mapping[str, Any]:
    """What leads have as `lead.rfm`; `spent` in major units."""
    return {
        "r": rank.r,
        "f": rank.f,
        "m": rank.m,
        "cell": f"{rank.r}{rank.f}{rank.m}",
        "orders": buyer.orders,
        "spent": spent,
        "last": buyer.last.isoformat(),
    }


__all__ = ["Purchases", "Rank", "as_told", "fifths", "ranked"]
