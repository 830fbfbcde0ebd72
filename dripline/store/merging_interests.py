"""Interests of two leads that become one's, and each their own again: what both had is had once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from dripline.store.schema import interests

_KEY = ("product_id", "kind")
_TIMES = ("first_at", "last_at", "until", "due_at")


def move_interests(connection: Connection, loser_id: str, winner_id: str) -> list[Any]:
    """Give one lead's interests to the other; each as it was, with what the other had of it (None: nothing)."""
    mine = {_key(row): row for row in _rows(connection, winner_id)}
    moved: list[Any] = []
    for row in _rows(connection, loser_id):
        before = mine.get(_key(row))
        moved.append([_kept(row), _kept(before) if before is not None else None])
        if before is None:
            connection.execute(insert(interests).values({**row._mapping, "lead_id": winner_id}))
        else:
            _write(connection, winner_id, _key(row), _united(_kept(row), _kept(before)))
    connection.execute(delete(interests).where(interests.c.lead_id == loser_id))
    return moved


def move_interests_back(connection: Connection, winner_id: str, loser_id: str, moved: Sequence[Any]) -> None:
    """Give back what the log says. What the lead has said since the merge stays with the one that goes on."""
    now = {_key(row): row for row in _rows(connection, winner_id)}
    for own, before in moved:
        key = (own["product_id"], own["kind"])
        connection.execute(insert(interests).values({**_restored(own), "lead_id": loser_id}))
        if key not in now:
            continue
        there = _kept(now[key])
        more = there["times"] - own["times"] - (before["times"] if before else 0)
        if more > 0:
            first = before["first_at"] if before else there["last_at"]
            since = {**there, "times": there["times"] - own["times"], "first_at": first}
            _write(connection, winner_id, key, since)
        elif before is not None:
            _write(connection, winner_id, key, before)
        else:
            connection.execute(delete(interests).where(*_where(winner_id, key)))


def _rows(connection: Connection, lead_id: str) -> list[Row[Any]]:
    query = select(interests).where(interests.c.lead_id == lead_id)
    return list(connection.execute(query.order_by(interests.c.product_id, interests.c.kind)))


def _key(row: Row[Any]) -> tuple[str, str]:
    return row.product_id, row.kind


def _kept(row: Row[Any]) -> dict[str, Any]:
    """A row as the log of merges keeps it."""
    values = {name: row._mapping[name] for name in (*_KEY, "times", *_TIMES)}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in values.items()}


def _restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in kept.items()
    }


def _united(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What both had: as often as both together; what is newer says until when, and when it is used up."""
    newer = max(one, other, key=lambda kept: datetime.fromisoformat(kept["last_at"]))
    return {
        **newer,
        "times": one["times"] + other["times"],
        "first_at": min(one["first_at"], other["first_at"], key=datetime.fromisoformat),
    }


def _write(connection: Connection, lead_id: str, key: tuple[str, str], kept: Mapping[str, Any]) -> None:
    values = {name: value for name, value in _restored(kept).items() if name not in _KEY}
    connection.execute(update(interests).where(*_where(lead_id, key)).values(values))


def _where(lead_id: str, key: tuple[str, str]) -> tuple[Any, ...]:
    return (
        interests.c.lead_id == lead_id,
        interests.c.product_id == key[0],
        interests.c.kind == key[1],
    )
