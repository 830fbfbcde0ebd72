"""What leads agreed to and took back, one row each time: when, how, and by what proof."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from dripline.store.schema import consents

State = Literal[
    "granted", "denied", "pending", "paused", "resumed", "withdrawn", "tracked", "untracked", "unsaid"
]
"""`denied`: said no; `withdrawn`: neither yes nor no any more; `pending`: asked to confirm; `resumed`: no pause now.

`tracked`, `untracked`: it may, or may not, be kept what the lead opens and clicks; `unsaid`: as the workspace says.
"""

OF_THE_LEAD = frozenset({"paused", "resumed", "tracked", "untracked", "unsaid"})
"""States of the lead as a whole: their rows have no channel and no topic."""


def record_consent(
    connection: Connection,
    lead_id: str,
    state: State,
    at: datetime,
    source: str,
    proof: Mapping[str, Any],
    *,
    channel: str | None = None,
    topic: str | None = None,
    event_id: str | None = None,
) -> None:
    """Keep what a lead said, in the transaction that makes it so. `at` is house time.

    A `channel` alone is all of that channel, a `topic` alone the topic on every channel.
    """
    row = {"lead_id": lead_id, "channel": channel, "topic": topic, "state": state, "at": at}
    connection.execute(insert(consents).values(**row, source=source, proof=dict(proof), event_id=event_id))


def record_consents(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was said, many at once; the rows have all columns but the id."""
    if rows:
        connection.execute(insert(consents), list(rows))


def granted(connection: Connection, lead_ids: Collection[str]) -> dict[str, list[Any]]:
    """By lead, when it agreed to a channel as a whole, and by what proof."""
    query = select(consents.c.lead_id, consents.c.channel, consents.c.proof).where(
        consents.c.lead_id.in_(lead_ids), consents.c.topic.is_(None), consents.c.state == "granted"
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.lead_id, []).append(row)
    return found


def consent_history(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """Everything that the lead said, oldest first."""
    query = select(consents).where(consents.c.lead_id == lead_id).order_by(consents.c.id)
    return list(connection.execute(query))
