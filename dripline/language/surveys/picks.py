"""Clicks on the answers of a survey, told from those of machines by how they came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

WITHIN = timedelta(seconds=5)
MANY = 3
"""Different answers that are clicked `WITHIN` so long are clicked by a machine: scanners follow every link."""
QUICK = timedelta(seconds=5)
"""Whoever answers so soon after the message has come has not read it."""


def of_person(picks: Sequence[tuple[str, datetime]], arrived: datetime | None) -> str | None:
    """The answer of the last click that a person may have made; None of machines alone. Times are machine time."""
    alive = [
        (answer, at)
        for answer, at in picks
        if (arrived is None or at - arrived >= QUICK) and not _in_a_burst(picks, at)
    ]
    return alive[-1][0] if alive else None


def _in_a_burst(picks: Sequence[tuple[str, datetime]], at: datetime) -> bool:
    """Whether many answers were clicked within so long, and at that moment too."""
    around = [(answer, one) for answer, one in picks if abs(one - at) <= WITHIN]
    return any(
        len({answer for answer, one in around if start <= one <= start + WITHIN}) >= MANY
        for _, start in around
    )


__all__ = ["MANY", "QUICK", "WITHIN", "of_person"]
