"""Who belongs to a segment: pure, so that the store and the simulator's made-up world follow the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.plan import Duration
from dripline.language.segments import BoughtEntry, DidNotEntry, Members, NotBoughtEntry

_BY_THE_CLOCK = frozenset({"now", "today"})


class Known(Protocol):
    """What is known of one lead."""

    @property
    def names(self) -> Mapping[str, Any]:
        """`lead`, `now` and `today`, as conditions read them."""

    def did(self, entry: DidNotEntry) -> int:
        """How often the lead did that."""

    def bought(self, entry: NotBoughtEntry) -> tuple[int, int]:
        """How many such orders it placed, and for how much in the currency that is asked for (minor units)."""

    def segment(self, name: str) -> Members:
        """The segment of that name."""

    def wanted(self, entry: NotBoughtEntry) -> int:
        """How much had to be spent, in minor units; 0: nothing is asked for."""


def belongs(members: Members, known: Known) -> bool:
    """Whether all that is said holds for the lead; a condition that cannot be evaluated does not hold."""
    return (
        _holds(members.when, known.names)
        and all(entry.times.hold(known.did(entry)) for entry in members.did)
        and not any(known.did(entry) for entry in members.did_not)
        and all(_bought(entry, known) for entry in members.bought)
        and not any(known.bought(entry)[0] for entry in members.not_bought)
        and all(belongs(known.segment(name), known) for name in members.in_ or ())
        and not any(belongs(known.segment(name), known) for name in members.not_in or ())
        and (not members.any or any(belongs(one, known) for one in members.any))
    )


def _bought(entry: BoughtEntry, known: Known) -> bool:
    orders, spent = known.bought(entry)
    return entry.times.hold(orders) and spent >= known.wanted(entry)


def _holds(when: str | None, names: Mapping[str, Any]) -> bool:
    try:
        return when is None or compile_expression(when).holds(names)
    except EvaluationError:
        return False


def back(now: datetime, within: Duration | None, where: ZoneInfo) -> datetime | None:
    """Since when (UTC) something counts that is asked for `within` so long; None: ever since."""
    if within is None:
        return None
    return add(now, Duration(months=-within.months, days=-within.days, seconds=-within.seconds), where)


def changes_with_time(members: Members, segments: Mapping[str, Members]) -> bool:
    """Whether leads enter or leave it by nothing but the passing of time."""
    for part in members.parts():
        if part.when is not None and any(
            name.split(".")[0] in _BY_THE_CLOCK for name in compile_expression(part.when).names
        ):
            return True
        if any(entry.within for entry in (*part.did, *part.did_not)):
            return True
        if any(entry.within for entry in (*part.bought, *part.not_bought)):
            return True
    return any(changes_with_time(segments[name], segments) for name in members.names())


__all__ = ["Known", "back", "belongs", "changes_with_time"]
