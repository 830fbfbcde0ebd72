"""Which of the touches before an order earned it: the first, the last, or each its part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dripline.reports.amounts import divide

Model = Literal["first", "last", "linear"]
MODELS: tuple[Model, ...] = ("first", "last", "linear")


@dataclass(frozen=True)
class Touched:
    """Something that may have led to an order: when, and by what it is counted (None: nothing is known)."""

    at: datetime
    key: str | None
    is_direct: bool = False
    """It says nothing of where the lead came from."""


def path_to(bought: datetime, touches: Sequence[Touched], lookback: timedelta) -> Sequence[Touched]:
    """The touches (oldest first) that count for what was bought then: those in the time before it.

    A visit that says nothing of where it came from only counts where there is no other, as elsewhere
    (Google Analytics: `last non-direct click`).
    """
    before = [one for one in touches if bought - lookback <= one.at <= bought]
    told = [one for one in before if not one.is_direct]
    return told or before


def credit(amount: int, path: Sequence[Touched], model: Model) -> list[tuple[str | None, int]]:
    """What each key is credited with, in minor units: together, exactly the amount. Without a path, nobody (None)."""
    if not path:
        return [(None, amount)]
    if model == "first":
        return [(path[0].key, amount)]
    if model == "last":
        return [(path[-1].key, amount)]
    return [(one.key, part) for one, part in zip(path, divide(amount, len(path)), strict=True)]
