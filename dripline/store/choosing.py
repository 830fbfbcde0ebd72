"""Open runs, chosen for something to be done with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from dripline.store.schema import leads, runs

_CHUNK = 500


@dataclass(frozen=True)
class Choice:
    """Which open runs; what is None or empty does not matter."""

    journey: str | None = None
    lead_id: str | None = None
    step: str | None = None
    ids: tuple[str, ...] = ()
    """Beginnings of ids."""


def open_runs(connection: Connection, choice: Choice) -> Iterator[list[tuple[Row[Any], Row[Any]]]]:
    """Those runs, each with its lead, in chunks, in the order of their ids."""
    wanted: list[ColumnElement[bool]] = [runs.c.ended_at.is_(None)]
    if choice.journey is not None:
        wanted.append(runs.c.journey == choice.journey)
    if choice.lead_id is not None:
        wanted.append(runs.c.lead_id == choice.lead_id)
    if choice.step is not None:
        wanted.append(runs.c.step == choice.step)
    if choice.ids:
        wanted.append(or_(*(runs.c.id.startswith(one, autoescape=True) for one in choice.ids)))
    after = ""
    while True:
        query = select(runs).where(*wanted, runs.c.id > after).order_by(runs.c.id).limit(_CHUNK)
        rows = connection.execute(query).all()
        if not rows:
            return
        people = select(leads).where(leads.c.id.in_({row.lead_id for row in rows}))
        known = {lead.id: lead for lead in connection.execute(people)}
        yield [(row, known[row.lead_id]) for row in rows]
        after = rows[-1].id
