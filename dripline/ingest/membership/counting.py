"""How many leads are in segments, and in which of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from dripline.clock import machine_clock
from dripline.engine.segments import belongs
from dripline.ingest.audience import BATCH, read_audience
from dripline.ingest.membership.facts import Crowd
from dripline.language.membership import Membership, compile_segments
from dripline.language.workspace import Workspace
from dripline.store.house import open_house
from dripline.store.schema import leads

_LIVING = (leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))

Together = Mapping[frozenset[str], int]
"""How many leads are in just these of the segments in question, and in no other of them."""


@dataclass
class Overlap:
    """How audiences lie to one another."""

    names: Sequence[str]
    leads: int
    """All leads that there are."""
    looked_at: int = 0
    """Those that were looked at: all of them, unless a bound was set."""
    together: Counter[frozenset[str]] = field(default_factory=Counter)

    @property
    def sizes(self) -> dict[str, int]:
        """How many are in each."""
        return {name: sum(n for names, n in self.together.items() if name in names) for name in self.names}

    def shared(self, one: str, other: str) -> int:
        """How many are in both."""
        return sum(n for names, n in self.together.items() if one in names and other in names)


def count_leads(connection: Connection) -> int:
    """How many leads there are, merged and erased ones left out."""
    return connection.execute(select(func.count()).select_from(leads).where(*_LIVING)).scalar_one()


def kept_overlap(connection: Connection, names: Sequence[str]) -> Overlap:
    """The same of segments, by what is kept of who is in them."""
    number = func.count().label("number")
    query = select(leads.c.segments, number).where(*_LIVING).group_by(leads.c.segments)
    together: Counter[frozenset[str]] = Counter()
    for row in connection.execute(query):
        together[frozenset(row.segments or ()) & frozenset(names)] += row.number
    everybody = sum(together.values())
    del together[frozenset()]
    return Overlap(names, everybody, everybody, together)


def overlap(
    connection: Connection,
    workspace: Workspace,
    audiences: Sequence[str],
    most: int | None = None,
    seen: Callable[[int], None] = lambda number: None,
    now: datetime | None = None,
) -> Overlap:
    """Look at leads, at most so many of them, and count in which of the audiences they are now.

    An audience is a segment's name or a condition over `lead`. `seen` is told of each batch. Raises BadAudience.
    """
    wanted: dict[str, Membership] = {one: read_audience(workspace, one) for one in audiences}
    rules = compile_segments(workspace)
    now = now or open_house(connection).clock.to_house(machine_clock())
    found = Overlap(list(wanted), count_leads(connection))
    after = ""
    while most is None or found.looked_at < most:
        size = BATCH if most is None else min(BATCH, most - found.looked_at)
        query = select(leads).where(leads.c.id > after, *_LIVING).order_by(leads.c.id).limit(size)
        rows = connection.execute(query).all()
        for one in Crowd(connection, rules, now, rows).each():
            found.together[frozenset(name for name, who in wanted.items() if belongs(who, one))] += 1
        found.looked_at += len(rows)
        seen(len(rows))
        if len(rows) < size:
            break
        after = rows[-1].id
    del found.together[frozenset()]
    return found


def count_cells(connection: Connection) -> dict[tuple[int, int], int]:
    """How many leads are in each fifth by recency and by frequency, as they were ranked last."""
    r, f = leads.c.rfm["r"].as_integer(), leads.c.rfm["f"].as_integer()
    query = select(r.label("r"), f.label("f"), func.count().label("number")).where(
        leads.c.rfm.is_not(None), *_LIVING
    )
    return {(row.r, row.f): row.number for row in connection.execute(query.group_by(r, f))}


__all__ = ["Overlap", "Together", "count_cells", "count_leads", "kept_overlap", "overlap"]
