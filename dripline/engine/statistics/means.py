"""Amounts of so many leads, most of whom spend nothing: their mean, and how two means differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from dripline.engine.statistics.proportions import LEVEL, Interval, deviations

ENOUGH = 30
"""From so many leads on the mean of them is as good as normal."""


@dataclass(frozen=True)
class Summed:
    """What so many leads came to: their number, their sum, and the sum of their squares."""

    leads: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """What one comes to; 0 of nobody."""
        return self.total / self.leads if self.leads else 0.0

    @property
    def variance(self) -> float:
        """Of the mean."""
        if self.leads < 2:
            return 0.0
        return max(0.0, (self.squares - self.total**2 / self.leads) / (self.leads - 1)) / self.leads


def mean_difference(one: Summed, other: Summed, level: float = LEVEL) -> Interval | None:
    """Where the true `one - other` may lie, each with a variance of its own (Welch); None of less than 30 leads."""
    if min(one.leads, other.leads) < ENOUGH:
        return None
    spread = deviations(level) * sqrt(one.variance + other.variance)
    between = one.mean - other.mean
    return Interval(between - spread, between + spread)
