"""How many leads it takes to see a difference, and how long until they are there."""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

POWER = 0.8
"""How often a difference that is there is to be seen."""


def leads_needed(
    share: float, other: float, ratio: float = 1.0, level: float = 0.95, power: float = POWER
) -> int | None:
    """How many leads with the share `share` it takes, and `ratio` times as many with the other, to tell them apart.

    The usual formula for two proportions (Fleiss, Levin and Paik, 4.14, for groups of any sizes), without the
    correction for continuity. None where the two do not differ.
    """
    if share == other:
        return None
    normal = NormalDist()
    pooled = (share + ratio * other) / (1 + ratio)
    by_chance = normal.inv_cdf((1 + level) / 2) * sqrt((1 + 1 / ratio) * pooled * (1 - pooled))
    seen = normal.inv_cdf(power) * sqrt(share * (1 - share) + other * (1 - other) / ratio)
    return ceil((by_chance + seen) ** 2 / (share - other) ** 2)


def days_until(have: int, need: int, a_day: float) -> int | None:
    """How many more days it takes; None where nobody comes any more."""
    if have >= need:
        return 0
    return ceil((need - have) / a_day) if a_day > 0 else None
