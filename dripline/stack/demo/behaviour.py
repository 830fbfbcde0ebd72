"""What a lead of the demo can do. Times are days of the journeys."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from dripline.stack.demo.people import Person

CAME_BY: tuple[Mapping[str, Any] | None, ...] = (
    {"source": "google", "medium": "cpc", "campaign": "spring", "cost": 350},
    {"source": "google", "medium": "organic"},
    {"source": "facebook", "medium": "paid-social", "campaign": "autumn", "cost": 220},
    {"source": "newsletter", "medium": "email", "campaign": "news"},
    None,
)
"""Where leads come from, one after the other, and for how much; None: nobody knows."""


@dataclass(frozen=True)
class OnDay:
    """A moment so many days after the midnight (UTC) at which the demo began; or just that day."""

    days: float
    whole: bool = False


@dataclass(frozen=True)
class Act:
    """Something that a lead does, or that befalls it."""

    person: Person
    number: int
    """Which of the person's acts it is: they happen in this order."""
    does: Literal["comes", "says", "changes", "redeems"]
    days: float
    """Counted like `OnDay`; where `after` is said, from when that message has reached the lead."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Of an event its name and properties (and whose friend it is, `friend_of`), of a lead its fields, of a redemption
    the journey and what it gives."""
    after: str | None = None
    """A template."""

    @property
    def key(self) -> str:
        """What the act is called; the id of an event."""
        return f"{self.person.external_id}/{self.number}"

    @property
    def trace(self) -> str:
        """What the act leaves in the store (see `Ledger.known`): by it one that has been done is known."""
        lead = self.person.external_id
        left = {"comes": lead, "changes": f"{lead} changed", "redeems": self.body.get("reference")}
        return left.get(self.does) or self.key


class Life:
    """One lead's acts, told one after the other."""

    def __init__(self, one: Person, draw: random.Random) -> None:
        self.person = one
        self.draw = draw
        self.acts: list[Act] = []

    def comes(self, days: float, *, agrees: bool = True, historical: bool = False) -> None:
        """The lead is put, with where it came from; a `historical` one has been there for long."""
        body = self.person.body(agrees=agrees, historical=historical)
        touch = None if historical else CAME_BY[self.person.number % len(CAME_BY)]
        self._add("comes", days, {**body, "touch": touch} if touch else body)

    def says(self, days: float, event: str, after: str | None = None, **properties: Any) -> None:
        """An event."""
        self._add("says", days, {"name": event, "properties": properties}, after)

    def changes(self, days: float, **fields: Any) -> None:
        """Some fields of the lead become something else."""
        self._add("changes", days, fields)

    def redeems(
        self, days: float, journey: str, gives: str, after: str | None = None, order: str | None = None
    ) -> None:
        """The code that the journey gave the lead (`percent`, or `amount`) is used for an order."""
        reference = order or f"{self.person.external_id}/order"
        self._add("redeems", days, {"journey": journey, "gives": gives, "reference": reference}, after)

    def pays(self, days: float, after: str | None = None, friend_of: str | None = None) -> None:
        """An order, at which the code of that other lead is told, if it has one by then."""
        total = self.draw.choice([12_000, 24_000, 48_000, 96_000])
        order = f"{self.person.external_id}/order"
        self.says(days, "order.paid", after, order_id=order, total=total, currency="AMD", items=["seats"])
        if friend_of is not None:
            self.acts[-1] = replace(self.acts[-1], body={**self.acts[-1].body, "friend_of": friend_of})

    def _add(
        self,
        does: Literal["comes", "says", "changes", "redeems"],
        days: float,
        body: Mapping[str, Any],
        after: str | None = None,
    ) -> None:
        self.acts.append(Act(self.person, len(self.acts) + 1, does, days, body, after))


Fate = Callable[[Life, float], None]
"""Lets a life happen that begins on that day."""


@dataclass(frozen=True)
class Cast:
    """So many leads of one fate, who come within these days, evenly."""

    count: int
    fate: Fate
    first: float
    last: float
    languages: tuple[str, ...] = ("en", "hy", "ru")
    countries: tuple[str, ...] | None = None
