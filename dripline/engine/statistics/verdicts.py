"""What two arms of an experiment show, said plainly: better, worse, no difference, or not enough to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from dripline.engine.statistics.planning import days_until, leads_needed
from dripline.engine.statistics.proportions import (
    LEVEL,
    Counted,
    Interval,
    chance,
    difference_interval,
    is_enough,
    lift_interval,
    two_sided,
)

Kind = Literal["better", "worse", "no-difference", "not-enough"]
EARLY = 0.001
"""Before its planned size, an experiment is only decided by what chance does less often than this.

Who looks every day would else be fooled every fourth time (Haybittle 1971, Peto 1976).
"""
UNEVEN = 0.001
"""Arms whose sizes come about less often than this by lot were not divided by it."""


@dataclass(frozen=True)
class Judged:
    """An arm beside the one that it is compared with. Shares are between 0 and 1."""

    kind: Kind
    difference: float
    between: Interval
    lift: float | None
    """Of the other's share; None where that is nothing."""
    lift_between: Interval | None
    chance: float
    needed: int
    """Leads that this arm has to have until a difference worth knowing would be seen four times of five."""
    days: int | None
    """How many more days that takes; None where nobody comes any more, 0 where they are there."""


def judge(
    arm: Counted, control: Counted, worth: float, a_day: tuple[float, float], comparisons: int = 1
) -> Judged:
    """Compare an arm with the control. `worth` is the lift that is worth knowing: 0.2 for a fifth more.

    `a_day` is how many leads come into the arm and into the control. Of several comparisons each is
    held to a stricter level (Bonferroni), so that all together are wrong no more often.
    """
    level = 1 - (1 - LEVEL) / comparisons
    by_chance = chance(arm, control)
    needed, needed_control = _needed(arm, control, worth, level)
    days = _days(((arm.leads, needed, a_day[0]), (control.leads, needed_control, a_day[1])))
    is_planned = arm.leads >= needed and control.leads >= needed_control
    limit = (1 - level) if is_planned else EARLY / comparisons
    if is_enough(arm, control) and by_chance < limit:
        kind: Kind = "better" if arm.share > control.share else "worse"
    else:
        kind = "no-difference" if is_planned else "not-enough"
    return Judged(
        kind=kind,
        difference=arm.share - control.share,
        between=difference_interval(arm, control, level),
        lift=arm.share / control.share - 1 if control.hits else None,
        lift_between=lift_interval(arm, control, level),
        chance=by_chance,
        needed=needed,
        days=days,
    )


def is_uneven(leads: Sequence[int], shares: Sequence[float]) -> bool:
    """Whether the sizes of the arms are not what the lot would have made of these shares (which sum to 1)."""
    everybody = sum(leads)
    if everybody == 0:
        return False
    for number, share in zip(leads, shares, strict=True):
        spread = sqrt(everybody * share * (1 - share))
        off = abs(number - everybody * share)
        if off > 0.5 if spread == 0 else two_sided(off / spread) < UNEVEN / len(leads):
            return True
    return False


def _needed(arm: Counted, control: Counted, worth: float, level: float) -> tuple[int, int]:
    """How many leads both need. A control that shows nothing yet counts as if one in so many had been a hit."""
    share = (control.hits + 1) / (control.leads + 2)
    # More than all cannot convert: of a share of 90 % a fifth more is not to be had, and its fifth less is meant.
    hoped = share * (1 + worth) if share * (1 + worth) < 1 else share * (1 - worth)
    ratio = arm.leads / control.leads if arm.leads and control.leads else 1.0
    wanted = leads_needed(share, hoped, ratio, level) or 1
    return max(1, round(wanted * ratio)), wanted


def _days(groups: Sequence[tuple[int, int, float]]) -> int | None:
    days = [days_until(*group) for group in groups]
    return None if None in days else max(day for day in days if day is not None)
