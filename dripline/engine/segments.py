"""Who belongs to a segment: pure, so that the store and the simulator's made-up world follow the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.membership import Bought, Did, Membership
from dripline.language.plan import Duration


class Known(Protocol):
    """What is known of one lead."""

    @property
    def names(self) -> Mapping[str, Any]:
        """`lead`, `now` and `today`, as conditions read them."""

    def did(self, wanted: Did) -> int:
        """How often the lead did that."""

    def bought(self, wanted: Bought) -> tuple[int, int]:
        """How many such orders it placed, and for how much in that currency (minor units)."""

    def segment(self, name: str) -> Membership:
        """Who belongs to the segment of that name."""


def belongs(wanted: Membership, known: Known) -> bool:
    """Whether all that is said holds for the lead; a condition that cannot be evaluated does not hold."""
    return (
        _holds(wanted.when, known)
        and all(one.holds(known.did(one)) for one in wanted.did)
        and all(_bought(one, known) for one in wanted.bought)
        and all(belongs(known.segment(name), known) for name in wanted.all_of)
        and not any(belongs(known.segment(name), known) for name in wanted.none_of)
        and (not wanted.any_of or any(belongs(one, known) for one in wanted.any_of))
    )


def _bought(wanted: Bought, known: Known) -> bool:
    orders, spent = known.bought(wanted)
    return wanted.holds(orders) and spent >= wanted.spent


def _holds(when: str | None, known: Known) -> bool:
    try:
        return when is None or compile_expression(when).holds(known.names)
    except EvaluationError:
        return False


def back(now: datetime, within: Duration | None, where: ZoneInfo) -> datetime | None:
    """Since when (UTC) something counts that is asked for `within` so long; None: ever since."""
    if within is None:
        return None
    return add(now, Duration(months=-within.months, days=-within.days, seconds=-within.seconds), where)


__all__ = ["Known", "back", "belongs"]
