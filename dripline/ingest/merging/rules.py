"""What one lead is that two have become, field by field, and which of the two goes on. Pure; docs/api.md has the table.

Consent belongs to an address: whatever two leads said, no address may be written to on the strength of what was
said for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import CHANNELS, Said, changed, wish
from dripline.language.scoring import WARMTHS
from dripline.language.stages import BEFORE_CUSTOMER, CUSTOMER

KNOWN_BY = ("external_id", "email", "phone")
"""A lead that has none of these is an anonymous visitor."""


@dataclass(frozen=True)
class Side:
    """One of the two: its columns, and when its stage was said last."""

    values: Mapping[str, Any]
    stage_at: datetime

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


def is_anonymous(lead: Mapping[Any, Any]) -> bool:
    """Whether nothing is known of the lead by which anybody could be reached or named."""
    return not any(lead[kind] for kind in KNOWN_BY)


def goes_on_first(one: Mapping[Any, Any]) -> tuple[bool, datetime, str]:
    """The order in which two leads are asked to go on: the known before the anonymous, then the older."""
    return is_anonymous(one), one["created_at"], one["id"]


def united(winner: Side, loser: Side) -> dict[str, Any]:
    """The columns of the one lead. Which of the two goes on matters for values that both have, and for nothing else."""
    return {column: rule(column, winner, loser) for column, rule in RULES.items()}


def _winners_unless_empty(column: str, winner: Side, loser: Side) -> Any:
    return winner[column] if winner[column] not in (None, "") else loser[column]


def _of_the_stage(column: str, winner: Side, loser: Side) -> Any:
    """Where the lead is by now: the stage that was said later, except that a customer is one whose other card asks.

    Of the workspace's other names for stages we know no order.
    """
    if not winner["stage"] or not loser["stage"]:
        return (loser if loser["stage"] else winner)[column]
    by_stage = {side["stage"]: side for side in (winner, loser)}
    if CUSTOMER in by_stage and not BEFORE_CUSTOMER.isdisjoint(by_stage):
        return by_stage[CUSTOMER][column]
    return (loser if loser.stage_at > winner.stage_at else winner)[column]


def _of_the_owner(column: str, winner: Side, loser: Side) -> Any:
    return winner[column] if winner["owner"] or not loser["owner"] else loser[column]


def _customer_first(column: str, winner: Side, loser: Side) -> Any:
    """Of two customer cards the one of who was a customer earlier."""
    cards = [one[column] for one in (winner, loser) if one[column]]
    return min(cards, key=lambda card: str(card.get("since")), default=None)


def _sum(column: str, winner: Side, loser: Side) -> float:
    return float(winner[column] + loser[column])


def _all_of_both(column: str, winner: Side, loser: Side) -> list[Any]:
    return list(dict.fromkeys([*winner[column], *loser[column]]))


def _name_by_name(column: str, winner: Side, loser: Side) -> dict[str, Any]:
    return {**loser[column], **winner[column]}


def _earlier(column: str, winner: Side, loser: Side) -> Any:
    return min(winner[column], loser[column])


def _later(column: str, winner: Side, loser: Side) -> Any:
    return max((one[column] for one in (winner, loser) if one[column] is not None), default=None)


def _sooner(column: str, winner: Side, loser: Side) -> Any:
    return min((one[column] for one in (winner, loser) if one[column] is not None), default=None)


def _warmer(column: str, winner: Side, loser: Side) -> Any:
    """Until the points of both are reckoned together, so that nobody is told that one of them has warmed."""
    known = [one[column] for one in (winner, loser) if one[column] in WARMTHS]
    return max(known, key=WARMTHS.index, default=None)


def _off_wins(column: str, winner: Side, loser: Side) -> bool | None:
    said = [one[column] for one in (winner, loser) if one[column] is not None]
    return all(said) if said else None


def _first(column: str, winner: Side, loser: Side) -> Any:
    return min(_touches(column, winner, loser), key=_when, default=None)


def _last(column: str, winner: Side, loser: Side) -> Any:
    return max(_touches(column, winner, loser), key=_when, default=None)


def _touches(column: str, winner: Side, loser: Side) -> list[Any]:
    return [one[column] for one in (winner, loser) if one[column]]


def _when(touch: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(touch["at"])


def _consent(column: str, winner: Side, loser: Side) -> dict[str, bool]:
    said = {}
    for channel in {**winner[column], **loser[column]}:
        word = narrower(channel, *((one, one[column].get(channel)) for one in (winner, loser)))
        if word is not None:
            said[channel] = word
    return said


def _topics(column: str, winner: Side, loser: Side) -> dict[str, Any]:
    said: dict[str, Said] = {}
    for topic in {**winner[column], **loser[column]}:
        said[topic] = {
            channel: narrower(channel, *((one, wish(one[column], topic, channel)) for one in (winner, loser)))
            for channel in CHANNELS
        }
    return changed({}, said)


def narrower(channel: str, *words: tuple[Side, bool | None]) -> bool | None:
    """What holds of what two leads said of a channel. A no of either is a no; None is neither yes nor no.

    A yes needs every one of them that has an address there to have said it: who has none and said nothing has no
    say. So the address that the one lead keeps is one that agreed.
    """
    said = [word for _, word in words]
    if False in said:
        return False
    by_the_reached = [word for side, word in words if side[ADDRESS[channel]]]
    return True if True in said and all(by_the_reached) else None


Rule = Callable[[str, Side, Side], Any]

RULES: Mapping[str, Rule] = {
    "external_id": _winners_unless_empty,
    "email": _winners_unless_empty,
    "phone": _winners_unless_empty,
    "locale": _winners_unless_empty,
    "timezone": _winners_unless_empty,
    "country": _winners_unless_empty,
    "owner": _winners_unless_empty,
    "stage": _of_the_stage,
    "stage_at": _of_the_stage,
    "owner_at": _of_the_owner,
    "customer": _customer_first,
    "score": _sum,
    "grade": _winners_unless_empty,
    "warmth": _warmer,
    "rescore_at": _sooner,
    "tags": _all_of_both,
    "consent": _consent,
    "topics": _topics,
    "attributes": _name_by_name,
    "paused_until": _later,
    "tracking": _off_wins,
    "first_touch": _first,
    "last_touch": _last,
    "created_at": _earlier,
}
"""Every column of a lead that a merge decides on, and how. What it lacks follows from them."""

QUIET = ("grade", "warmth", "rescore_at")
"""Columns that follow from the points of both: whoever merges or parts leads reckons them anew."""
