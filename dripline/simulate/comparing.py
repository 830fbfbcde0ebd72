"""What was expected beside what was seen: which belong together, and in what they differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dripline.language.scenario import DETAILS, Expectation
from dripline.simulate.seen import Seen, say

_SAME_MOMENT = timedelta(seconds=1)
"""Events of one instant are kept microseconds apart; nobody writes an expectation finer than a second."""


@dataclass(frozen=True)
class Row:
    """One line of the comparison: as expected, or one side of it, or both that differ (`differences` says in what)."""

    expected: Expectation | None
    expected_at: datetime | None
    seen: Seen | None
    differences: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it is as expected."""
        return self.expected is not None and self.seen is not None and not self.differences

    @property
    def at(self) -> datetime:
        """When it happened, else when it should have."""
        at = self.seen.at if self.seen else self.expected_at
        assert at is not None
        return at


def compare(
    expected: Sequence[Expectation],
    moment: Callable[[Expectation], datetime],
    happened: Sequence[Seen],
    partial: bool,
) -> list[Row]:
    """Both lists as one, in order, with as little difference as can be.

    `moment` says when an expectation is due. With `partial`, what was not expected is left out.
    """
    costs = _costs(expected, moment, happened)
    rows: list[Row] = []
    i = j = 0
    while i < len(expected) or j < len(happened):
        differences = _differences(expected, moment, happened, i, j)
        if differences is not None and costs[i][j] == costs[i + 1][j + 1] + bool(differences):
            rows.append(Row(expected[i], moment(expected[i]), happened[j], differences))
            i, j = i + 1, j + 1
        elif i < len(expected) and costs[i][j] == costs[i + 1][j] + 1:
            rows.append(Row(expected[i], moment(expected[i]), None))
            i += 1
        else:
            if not partial:
                rows.append(Row(None, None, happened[j]))
            j += 1
    return rows


def _costs(
    expected: Sequence[Expectation], moment: Callable[[Expectation], datetime], happened: Sequence[Seen]
) -> list[list[int]]:
    """By how many are behind us on both sides, how many differences must come yet."""
    costs = [[0] * (len(happened) + 1) for _ in range(len(expected) + 1)]
    for i in range(len(expected), -1, -1):
        for j in range(len(happened), -1, -1):
            ways = []
            if i < len(expected):
                ways.append(costs[i + 1][j] + 1)
            if j < len(happened):
                ways.append(costs[i][j + 1] + 1)
            differences = _differences(expected, moment, happened, i, j)
            if differences is not None:
                ways.append(costs[i + 1][j + 1] + bool(differences))
            costs[i][j] = min(ways, default=0)
    return costs


def _differences(
    expected: Sequence[Expectation],
    moment: Callable[[Expectation], datetime],
    happened: Sequence[Seen],
    i: int,
    j: int,
) -> tuple[str, ...] | None:
    """In what the two differ; None where they are not about the same thing, or one list is at its end."""
    if i >= len(expected) or j >= len(happened):
        return None
    wanted, found = expected[i], happened[j]
    if wanted.kind != found.kind or (wanted.journey or found.journey) != found.journey:
        return None
    if wanted.name != found.name and wanted.kind != "ends":
        return None
    differing = [] if wanted.name == found.name else [wanted.kind]
    if abs(moment(wanted) - found.at) >= _SAME_MOMENT:
        differing.append("time")
    for name, value in (wanted.update or {}).items():
        if name in found.facts and say(value) != found.facts[name]:
            differing.append(name)
    for detail in DETAILS:
        wording = getattr(wanted, detail)
        if wording is not None and not fits(str(wording), found.facts.get(detail, "")):
            differing.append(detail)
    return tuple(differing)


def fits(wording: str, text: str) -> bool:
    """Whether the text is as the wording says: `~part`, `/regular expression/`, or just so."""
    if wording.startswith("~"):
        return _plain(wording[1:]) in _plain(text)
    if len(wording) > 1 and wording.startswith("/") and wording.endswith("/"):
        return re.search(wording[1:-1], text) is not None
    return _plain(wording) == _plain(text)


def _plain(text: str) -> str:
    """The text without regard to line breaks and the kinds of spaces."""
    return " ".join(text.split())
