"""How everybody stands, and how well the cards of their leads and customers are filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from dripline.language.people import CardsEntry
from dripline.language.stages import CARD, CUSTOMER, still_empty
from dripline.store import tasks
from dripline.store.assignments import Record, absences_from, records_of
from dripline.store.schema import leads

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Colleague:
    """How somebody stands."""

    name: str
    record: Record
    away_until: datetime | None
    tasks: int
    overdue: int

    @property
    def rate(self) -> float | None:
        """The share of leads that were won; None where there were none."""
        return self.record.won / self.record.given if self.record.given else None


@dataclass
class Filling:
    """How well cards are filled in: how many there are, how many of their fields, and which are empty how often."""

    cards: int = 0
    whole: int = 0
    fields: int = 0
    filled: int = 0
    empty: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float | None:
        """The share of fields that are filled in; None where there is no card."""
        return self.filled / self.fields if self.fields else None

    def count(self, names: Collection[str], values: Any) -> None:
        """One more card."""
        missing = still_empty(names, values)
        self.cards += 1
        self.whole += not missing
        self.fields += len(names)
        self.filled += len(names) - len(missing)
        self.empty.update(missing)


@dataclass
class Quality:
    """The cards of one person's leads and customers."""

    leads: Filling = field(default_factory=Filling)
    customers: Filling = field(default_factory=Filling)


def colleagues(connection: Connection, people: Sequence[str], at: datetime) -> list[Colleague]:
    """How everybody stands at that moment (house time)."""
    records = records_of(connection, people, at)
    open_tasks = tasks.count_open(connection, at)
    away = {row.person: row.until for row in absences_from(connection, at) if row.since <= at}
    return [Colleague(name, records[name], away.get(name), *open_tasks.get(name, (0, 0))) for name in people]


def quality(connection: Connection, cards: CardsEntry) -> dict[str | None, Quality]:
    """By owner (None: nobody), how well the cards are filled in. Looks at every lead, a thousand at a time."""
    found: dict[str | None, Quality] = {}
    after = ""
    names = ("id", "owner", "stage", "attributes", "customer", *CARD)
    while True:
        query = (
            select(*(leads.c[name] for name in names))
            .where(leads.c.id > after, leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
            .order_by(leads.c.id)
            .limit(_AT_ONCE)
        )
        rows = connection.execute(query).all()
        for row in rows:
            mine = found.setdefault(row.owner, Quality())
            if row.customer or row.stage == CUSTOMER:
                mine.customers.count(cards.customer, row.customer or {})
            else:
                known = {**(row.attributes or {}), **{name: getattr(row, name) for name in CARD}}
                mine.leads.count(cards.lead, known)
        if len(rows) < _AT_ONCE:
            return found
        after = rows[-1].id
