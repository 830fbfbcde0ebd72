"""Who is in which segment: kept with the lead, and counted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from dripline.store.database import insert_into
from dripline.store.leads import WHO
from dripline.store.schema import leads, segment_members, segment_states

ROUND = "@round"
"""The state of the look at everybody, one after another."""
RANKING = "@rfm"
"""The state of the ranking by what leads bought."""


@dataclass(frozen=True)
class State:
    """How far it is known who is in a segment. `computed_at` is house time; None: not for everybody yet."""

    digest: str
    computed_at: datetime | None = None
    reached: str | None = None


def load_states(connection: Connection) -> dict[str, State]:
    """The states of all segments, and those that are about all of them."""
    rows = connection.execute(select(segment_states))
    return {row.segment: State(row.digest, row.computed_at, row.reached) for row in rows}


def save_state(connection: Connection, segment: str, state: State) -> None:
    """Keep how far it is known who is in a segment."""
    values = {"digest": state.digest, "computed_at": state.computed_at, "reached": state.reached}
    statement = insert_into(connection, segment_states).values(segment=segment, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["segment"], set_=values))


def known_segments(connection: Connection, digests: Mapping[str, str]) -> frozenset[str]:
    """Those of the segments of which it is known for everybody, by these very rules, whether they are in."""
    query = select(segment_states.c.segment, segment_states.c.digest).where(
        segment_states.c.computed_at.is_not(None)
    )
    return frozenset(
        row.segment for row in connection.execute(query) if digests.get(row.segment) == row.digest
    )


def drop_segment(connection: Connection, segment: str) -> None:
    """Nobody is in a segment that there is no more."""
    connection.execute(delete(segment_members).where(segment_members.c.segment == segment))
    connection.execute(delete(segment_states).where(segment_states.c.segment == segment))


def put(connection: Connection, wanted: Mapping[str, Collection[str]], at: datetime) -> None:
    """Let each of these leads be in just these segments, since `at` where it was not. The leads are locked."""
    had = _members(connection, wanted)
    new = [
        {"segment": name, "lead_id": lead_id, "entered_at": at}
        for lead_id, names in wanted.items()
        for name in sorted(set(names) - had.get(lead_id, set()))
    ]
    if new:
        connection.execute(insert_into(connection, segment_members).on_conflict_do_nothing(), new)
    for lead_id, names in wanted.items():
        over = had.get(lead_id, set()) - set(names)
        if over:
            connection.execute(
                delete(segment_members).where(
                    segment_members.c.lead_id == lead_id, segment_members.c.segment.in_(over)
                )
            )
        connection.execute(update(leads).where(leads.c.id == lead_id).values(segments=sorted(names) or None))


def move_segments(connection: Connection, loser_id: str, winner_id: str) -> list[Any]:
    """Let the one lead be in the segments of both; each of the other's, with whether this one had been in it.

    Both are locked. The next look tells of those that it is not in any more.
    """
    had = _members(connection, [winner_id]).get(winner_id, set())
    theirs = connection.execute(select(segment_members).where(segment_members.c.lead_id == loser_id)).all()
    for row in theirs:
        statement = insert_into(connection, segment_members).values({**row._mapping, "lead_id": winner_id})
        connection.execute(statement.on_conflict_do_nothing())
    connection.execute(delete(segment_members).where(segment_members.c.lead_id == loser_id))
    _list_again(connection, winner_id, loser_id)
    return [[row.segment, row.segment in had, row.entered_at.isoformat()] for row in theirs]


def move_segments_back(
    connection: Connection, winner_id: str, loser_id: str, moved: Sequence[Sequence[Any]]
) -> None:
    """Give back what the log of the merge says."""
    for segment, had, since in moved:
        row = {"lead_id": loser_id, "segment": segment, "entered_at": datetime.fromisoformat(since)}
        connection.execute(insert_into(connection, segment_members).values(row).on_conflict_do_nothing())
        if not had:
            gone = segment_members.c.lead_id == winner_id, segment_members.c.segment == segment
            connection.execute(delete(segment_members).where(*gone))
    _list_again(connection, winner_id, loser_id)


def _list_again(connection: Connection, *lead_ids: str) -> None:
    """Let the leads' own lists say what their rows say."""
    found = _members(connection, lead_ids)
    for lead_id in lead_ids:
        names = sorted(found.get(lead_id, ())) or None
        connection.execute(update(leads).where(leads.c.id == lead_id).values(segments=names))


def _members(connection: Connection, lead_ids: Iterable[str]) -> dict[str, set[str]]:
    query = select(segment_members.c.lead_id, segment_members.c.segment).where(
        segment_members.c.lead_id.in_(list(lead_ids))
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.lead_id, set()).add(row.segment)
    return found


def list_members(connection: Connection, segment: str, limit: int, offset: int) -> list[Any]:
    """Who is in a segment, with names and stage, those first who entered last."""
    query = (
        select(
            segment_members.c.lead_id,
            segment_members.c.entered_at,
            leads.c.stage,
            *WHO,
        )
        .join(leads, leads.c.id == segment_members.c.lead_id)
        .where(segment_members.c.segment == segment)
        .order_by(segment_members.c.entered_at.desc(), segment_members.c.lead_id)
    )
    return list(connection.execute(query.limit(limit).offset(offset)).all())


def count_members(connection: Connection) -> dict[str, int]:
    """How many leads are in each segment; one in which nobody is, is missing."""
    query = select(segment_members.c.segment, func.count()).group_by(segment_members.c.segment)
    return {row[0]: row[1] for row in connection.execute(query)}


__all__ = [
    "RANKING",
    "ROUND",
    "State",
    "count_members",
    "drop_segment",
    "known_segments",
    "list_members",
    "load_states",
    "move_segments",
    "move_segments_back",
    "put",
    "save_state",
]
