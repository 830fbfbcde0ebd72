"""Shares of so many leads: how sure they are, and how two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
LEVEL = 0.95
"""How often an interval holds what is true."""


@dataclass(frozen=True)
class Counted:
    """So many of so many leads."""

    hits: int
    leads: int

    @property
    def share(self) -> float:
        """Between 0 and 1; 0 of nobody."""
        return self.hits / self.leads if self.leads else 0.0


@dataclass(frozen=True)
class Interval:
    """From, to."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def deviations(level: float) -> float:
    """How many standard deviations on both sides hold that much of a normal distribution: 1.96 for 0.95."""
    return _NORMAL.inv_cdf((1 + level) / 2)


def share_interval(one: Counted, level: float = LEVEL) -> Interval:
    """Where the true share may lie: Wilson's score interval (1927). All of 0 to 1 of nobody."""
    if not one.leads:
        return Interval(0.0, 1.0)
    z = deviations(level)
    among = 1 + z * z / one.leads
    middle = (one.share + z * z / (2 * one.leads)) / among
    spread = z / among * sqrt(one.share * (1 - one.share) / one.leads + z * z / (4 * one.leads**2))
    return Interval(max(0.0, middle - spread), min(1.0, middle + spread))


def difference_interval(one: Counted, other: Counted, level: float = LEVEL) -> Interval:
    """Where the true `one - other` may lie: Newcombe's hybrid score interval (1998, his method 10)."""
    a, b = share_interval(one, level), share_interval(other, level)
    between = one.share - other.share
    return Interval(
        between - sqrt((one.share - a.low) ** 2 + (b.high - other.share) ** 2),
        between + sqrt((a.high - one.share) ** 2 + (other.share - b.low) ** 2),
    )


def lift_interval(one: Counted, other: Counted, level: float = LEVEL) -> Interval | None:
    """Where the true `one / other - 1` may lie, by Katz (1978); None where either is nothing."""
    if not one.hits or not other.hits:
        return None
    ratio = one.share / other.share
    spread = sqrt(1 / one.hits - 1 / one.leads + 1 / other.hits - 1 / other.leads)
    factor = exp(deviations(level) * spread)
    return Interval(ratio / factor - 1, ratio * factor - 1)


def chance(one: Counted, other: Counted) -> float:
    """How often so great a difference would come about by chance alone, were both the same.

    The test of two proportions with a pooled variance, two-sided (Pearson's chi-squared without a correction).
    """
    leads = one.leads + other.leads
    pooled = (one.hits + other.hits) / leads if leads else 0.0
    if not one.leads or not other.leads or pooled in (0.0, 1.0):
        return 1.0
    error = sqrt(pooled * (1 - pooled) * (1 / one.leads + 1 / other.leads))
    return two_sided((one.share - other.share) / error)


def two_sided(z: float) -> float:
    """How much of a normal distribution lies as far out as `z`, on both sides."""
    return 2 * _NORMAL.cdf(-abs(z))


def is_enough(one: Counted, other: Counted) -> bool:
    """Whether `chance` may be asked at all: of each kind, five at least are to be expected on both sides (Cochran)."""
    leads = one.leads + other.leads
    if not leads:
        return False
    pooled = (one.hits + other.hits) / leads
    return min(one.leads, other.leads) * min(pooled, 1 - pooled) >= 5
