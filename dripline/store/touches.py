"""Where leads came from: one row for each time that it was told; the lead itself shows the first and the last."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dripline.language.money import to_major
from dripline.store.schema import touches

SAID = ("source", "medium", "campaign", "term", "content", "channel", "cost", "currency", "referrer")
"""What tells one touch from another, beside when it was and the page."""


def add_touch(
    connection: Connection, lead_id: str, values: Mapping[str, Any], at: datetime, event_id: str | None
) -> None:
    """Keep a touch. `values` are columns of the table; the cost is in minor units."""
    connection.execute(insert(touches).values(**values, lead_id=lead_id, at=at, event_id=event_id))


def add_touches(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep many touches at once; the rows have all columns but the id."""
    if rows:
        connection.execute(insert(touches), list(rows))


def touches_of_all(connection: Connection, lead_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """By lead, all its touches, oldest first."""
    query = select(touches).where(touches.c.lead_id.in_(lead_ids)).order_by(touches.c.at, touches.c.id)
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.lead_id, []).append(row)
    return found


def touches_of(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """All touches of a lead, oldest first."""
    query = select(touches).where(touches.c.lead_id == lead_id).order_by(touches.c.at, touches.c.id)
    return list(connection.execute(query))


def touch_before(connection: Connection, lead_id: str, at: datetime) -> Row[Any] | None:
    """The newest touch of the lead by that time; None if there is none."""
    query = select(touches).where(touches.c.lead_id == lead_id, touches.c.at <= at)
    return connection.execute(query.order_by(touches.c.at.desc(), touches.c.id.desc()).limit(1)).first()


def shown(values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A touch as `first_touch` and `last_touch` of the lead have it: only what was said, the cost in major units."""
    said: dict[str, Any] = {name: values[name] for name in (*SAID, "page") if values.get(name) is not None}
    if "cost" in said:
        said["cost"] = to_major(said["cost"], said["currency"])
    return {"at": at.isoformat(), **said}


def first_and_last(connection: Connection, lead_id: str) -> dict[str, Any]:
    """The lead's columns `first_touch` and `last_touch` as its rows tell them: after a merge, or an undoing."""
    rows = touches_of(connection, lead_id)
    if not rows:
        return {"first_touch": None, "last_touch": None}
    first, last = rows[0], rows[-1]
    return {
        "first_touch": shown({**first._mapping}, first.at),
        "last_touch": shown({**last._mapping}, last.at),
    }
