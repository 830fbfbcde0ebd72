"""Which leads a lead is made of, in words, and the names that it has besides those that it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.store.leads import IDENTIFYING, identity_of
from dripline.store.merges import merges_of
from dripline.store.schema import identities

_BECAUSE = {
    "identify": "one request named both",
    "alias": "a request said so",
    "api": "the API was told so",
    "command": "a person said so",
}


def told_of_merges(
    connection: Connection, lead_id: str
) -> Iterator[tuple[datetime, str, str, Mapping[str, Any]]]:
    """When, what (`merged`, `unmerged`), in words, and for programs: for every merge and every undoing."""
    for row in merges_of(connection, lead_id):
        detail = {"merge": row.id, "lead": row.winner_id, "other": row.loser_id, "cause": row.cause}
        because = _BECAUSE.get(row.cause, row.cause) + (f", {row.by}" if row.by else "")
        text = f"{_pair(row, lead_id)} one person: {because}{_narrowed(row)}"
        yield row.at, "merged", text, {**detail, "by": row.by}
        if row.undone_at is not None:
            by = f", by {row.undone_by}" if row.undone_by else ""
            text = f"{_pair(row, lead_id)} two people after all: the merge is taken back{by}"
            yield row.undone_at, "unmerged", text, {**detail, "by": row.undone_by}


def _narrowed(row: Row[Any]) -> str:
    """Which yes of either did not outlive the merge; of an erased person nothing is known."""
    made = row.detail.get("made", {}).get("consent", {})
    sides = (row.detail.get(name, {}).get("consent", {}) for name in ("winner", "loser"))
    agreed = {channel for said in sides for channel, word in said.items() if word}
    lost = sorted(channel for channel in agreed if not made.get(channel))
    return f"; not both agreed to {' and '.join(lost)}, so that the yes of one does not hold" if lost else ""


def _pair(row: Row[Any], lead_id: str) -> str:
    if lead_id == row.winner_id:
        return f"lead {row.loser_id} and this one are"
    if lead_id == row.loser_id:
        return f"lead {row.winner_id} and this one are"
    return f"leads {row.loser_id} and {row.winner_id} are"


def names_besides(connection: Connection, lead: Row[Any]) -> tuple[str, ...]:
    """By what the lead is found, too: addresses, numbers, ids and anonymous ids that it does not show."""
    shown = {
        identity_of(kind, value)
        for kind, value in ((kind, getattr(lead, kind)) for kind in IDENTIFYING)
        if value
    }
    query = select(identities.c.kind, identities.c.value).where(identities.c.lead_id == lead.id)
    rows = connection.execute(query.order_by(identities.c.kind, identities.c.value)).all()
    return tuple(
        f"{row.kind.replace('_', ' ')} {row.value}"
        for row in rows
        if identity_of(row.kind, row.value) not in shown
    )
