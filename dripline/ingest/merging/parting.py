"""What two leads are again when their merge is taken back. Pure.

Both get back what they had. What was said since of the one lead stays with the one that goes on; a no, a longer
pause or a switched-off tracking said since holds for both, so that nobody is written to because of an undoing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import CHANNELS, Said, changed, wish
from dripline.ingest.merging.rules import QUIET, RULES

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Parted:
    """The columns of both, and the names of what stays with the one that goes on although the merge brought it."""

    winner: dict[str, Any]
    loser: dict[str, Any]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Together:
    """Everything that parting goes by: both before the merge, what it made of them, and the one lead now."""

    winner: Columns
    loser: Columns
    made: Columns
    now: Columns
    refused_since: Collection[tuple[str, str | None]] = ()
    """Channels, each with a topic or without, that were refused since, be it once more."""


def parted(one: Together) -> Parted:
    """What becomes of every column that a merge decides on."""
    winner: dict[str, Any] = {}
    loser: dict[str, Any] = {}
    kept: set[str] = set()
    for column in RULES:
        winner[column], loser[column] = _ON_PARTING.get(column, _unless_changed)(column, one)
        if one.now[column] != one.made[column] and column not in ("consent", "topics", *QUIET):
            kept.add(column)
    for channel, address in ADDRESS.items():
        for whose, before, after in ((winner, one.winner, winner), (loser, one.loser, loser)):
            after["consent"] = _consent(channel, before, after["consent"], one, whose[address])
    return Parted(winner, loser, tuple(sorted(kept)))


def _unless_changed(column: str, one: Together) -> tuple[Any, Any]:
    now = one.now[column]
    return (one.winner[column] if now == one.made[column] else now), one.loser[column]


def _score(column: str, one: Together) -> tuple[float, float]:
    if one.now[column] == one.made[column]:
        return one.winner[column], one.loser[column]
    return one.winner[column] + one.now[column] - one.made[column], one.loser[column]


def _tags(column: str, one: Together) -> tuple[list[Any], list[Any]]:
    brought = set(one.made[column]) - set(one.winner[column])
    return [tag for tag in one.now[column] if tag not in brought], one.loser[column]


def _attributes(column: str, one: Together) -> tuple[dict[str, Any], dict[str, Any]]:
    mine = dict(one.winner[column])
    for name in {**one.made[column], **one.now[column]}:
        now = one.now[column].get(name)
        if now == one.made[column].get(name):
            continue
        mine.pop(name, None)
        if now is not None:
            mine[name] = now
    return mine, one.loser[column]


def _pause(column: str, one: Together) -> tuple[Any, Any]:
    now = one.now[column]
    if now == one.made[column] or now is None:
        return (one.winner[column] if now is not None or one.made[column] is None else None), one.loser[
            column
        ]
    return max(now, one.winner[column] or now), max(now, one.loser[column] or now)


def _tracking(column: str, one: Together) -> tuple[Any, Any]:
    now = one.now[column]
    if now == one.made[column]:
        return one.winner[column], one.loser[column]
    return now, (False if now is False else one.loser[column])


def _as_before(column: str, one: Together) -> tuple[Any, Any]:
    return dict(one.winner[column]), dict(one.loser[column])


def _topics(column: str, one: Together) -> tuple[Any, Any]:
    names = {**one.winner[column], **one.loser[column], **one.now[column]}
    sides = []
    for before in (one.winner, one.loser):
        said: dict[str, Said] = {topic: {} for topic in names}
        for topic in names:
            said[topic] = {
                channel: _word(
                    wish(before[column], topic, channel),
                    wish(one.made[column], topic, channel),
                    wish(one.now[column], topic, channel),
                    agreed_since=before is one.winner,
                    refused_since=(channel, topic) in one.refused_since,
                )
                for channel in CHANNELS
            }
        sides.append(changed({}, said))
    return sides[0], sides[1]


def _consent(
    channel: str, before: Columns, so_far: Columns, one: Together, address: str | None
) -> dict[str, bool]:
    """Consent by channel. A yes said since was said for the address that the one lead is written to by.

    And one said before is not for an address that has come since.
    """
    now = one.now["consent"].get(channel)
    word = _word(
        before["consent"].get(channel) if address == before[ADDRESS[channel]] else now,
        one.made["consent"].get(channel),
        now,
        agreed_since=address == one.now[ADDRESS[channel]],
        refused_since=(channel, None) in one.refused_since,
    )
    rest = {name: said for name, said in so_far.items() if name != channel}
    return rest if word is None else {**rest, channel: word}


def _word(
    before: bool | None, made: bool | None, now: bool | None, *, agreed_since: bool, refused_since: bool
) -> bool | None:
    if refused_since and not (now is True and agreed_since):
        return False
    if now == made:
        return before
    if now is True:
        return True if agreed_since else before
    return False if now is False or before is False else None


_ON_PARTING: Mapping[str, Callable[[str, Together], tuple[Any, Any]]] = {
    "score": _score,
    "tags": _tags,
    "attributes": _attributes,
    "paused_until": _pause,
    "tracking": _tracking,
    "consent": _as_before,
    "topics": _topics,
}
"""Columns that are not simply given back."""
