"""What answers to surveys come to: the Net Promoter Score, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from dripline.engine.statistics.proportions import LEVEL, Interval, deviations

_ADDED = 3.0
"""Answers that the interval is made with besides, as it is narrower than it should be where there are few."""


@dataclass(frozen=True)
class Opinions:
    """How many would recommend (9 and 10), how many would not (0 to 6), and those between."""

    promoters: float
    passives: float
    detractors: float

    @property
    def answers(self) -> float:
        """All together."""
        return self.promoters + self.passives + self.detractors

    @property
    def net(self) -> float:
        """The share of promoters less that of detractors, from -1 to 1; 0 of nobody."""
        return (self.promoters - self.detractors) / self.answers if self.answers else 0.0

    @property
    def error(self) -> float:
        """The standard error of that: of the mean of answers that count 1, 0 and -1."""
        if not self.answers:
            return 0.0
        spread = (self.promoters + self.detractors) / self.answers - self.net**2
        return sqrt(max(0.0, spread) / self.answers)


def net_interval(said: Opinions, level: float = LEVEL) -> Interval:
    """Where the true `net` may lie: the adjusted Wald interval, which Rocks (2016) found to be the best for it.

    Three answers are added, a quarter of them each to promoters and detractors. All of -1 to 1 of nobody.
    """
    if not said.answers:
        return Interval(-1.0, 1.0)
    share = _ADDED / 4
    adjusted = Opinions(said.promoters + share, said.passives + 2 * share, said.detractors + share)
    spread = deviations(level) * adjusted.error
    return Interval(max(-1.0, adjusted.net - spread), min(1.0, adjusted.net + spread))


__all__ = ["Opinions", "net_interval"]
