"""Two leads' rows becoming one's, the log of it, and the rows going back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, func, insert, or_, select, update

from dripline.store.database import insert_into
from dripline.store.merging_interests import move_interests, move_interests_back
from dripline.store.schema import (
    assignments,
    campaign_leads,
    consents,
    customers,
    discounts,
    events,
    identities,
    import_rows,
    inbound,
    leads,
    memberships,
    merges,
    messages,
    orders,
    referral_codes,
    referrals,
    runs,
    score_changes,
    score_points,
    stage_changes,
    survey_asks,
    tasks,
    touches,
)
from dripline.store.segments import move_segments, move_segments_back

FOLLOWING: Mapping[str, tuple[Table, tuple[Column[Any], ...]]] = {
    "runs": (runs, (runs.c.id,)),
    "messages": (messages, (messages.c.id,)),
    "discounts": (discounts, (discounts.c.id,)),
    "orders": (orders, (orders.c.id,)),
    "referral_codes": (referral_codes, (referral_codes.c.plain_code,)),
    "referrals": (referrals, (referrals.c.id,)),
    "survey_asks": (survey_asks, (survey_asks.c.id,)),
    "events": (events, (events.c.seq,)),
    "touches": (touches, (touches.c.id,)),
    "consents": (consents, (consents.c.id,)),
    "inbound": (inbound, (inbound.c.id,)),
    "score_points": (score_points, (score_points.c.id,)),
    "score_changes": (score_changes, (score_changes.c.id,)),
    "stage_changes": (stage_changes, (stage_changes.c.id,)),
    "customers": (customers, (customers.c.id,)),
    "assignments": (assignments, (assignments.c.id,)),
    "tasks": (tasks, (tasks.c.id,)),
    "import_rows": (import_rows, (import_rows.c.import_id, import_rows.c.line)),
    "campaign_leads": (campaign_leads, (campaign_leads.c.campaign_id, campaign_leads.c.found_as)),
    "identities": (identities, (identities.c.kind, identities.c.value)),
}
"""The tables whose rows follow the lead that another has become, and what a row is called in the log."""

_WHOSE: Mapping[str, tuple[str, ...]] = {"referrals": ("referrer_id", "friend_id")}
"""The columns that say whose a row is, where that is not `lead_id` alone; in the log, the second has its own name."""

_AT_ONCE = 500
"""Rows that one statement names."""

Moved = dict[str, list[Any]]
"""By table, what moved: as the log keeps it."""


def move_all(connection: Connection, loser_id: str, winner_id: str) -> Moved:
    """Give everything of one lead to another; what it was. Both are locked."""
    moved: Moved = {}
    for name, table, key, whose in _followers():
        rows = connection.execute(select(*key).where(whose == loser_id).order_by(*key)).all()
        moved[name] = [row[0] if len(key) == 1 else list(row) for row in rows]
        if rows:
            connection.execute(update(table).where(whose == loser_id).values({whose: winner_id}))
    moved["memberships"] = _move_memberships(connection, loser_id, winner_id)
    moved["interests"] = move_interests(connection, loser_id, winner_id)
    moved["segment_members"] = move_segments(connection, loser_id, winner_id)
    return moved


def _followers() -> Iterator[tuple[str, Table, tuple[Column[Any], ...], Column[Any]]]:
    """The name in the log, the table, what its rows are called, and the column that says whose they are."""
    for name, (table, key) in FOLLOWING.items():
        first, *more = _WHOSE.get(name, ("lead_id",))
        yield name, table, key, table.c[first]
        yield from ((f"{name}.{column}", table, key, table.c[column]) for column in more)


def _move_memberships(connection: Connection, loser_id: str, winner_id: str) -> list[Any]:
    """The groups of the one become the other's as well; each with whether the other had been in it."""
    mine = select(memberships.c.group_id).where(memberships.c.lead_id == winner_id)
    had = set(connection.execute(mine).scalars())
    moved = []
    for row in connection.execute(select(memberships).where(memberships.c.lead_id == loser_id)).all():
        moved.append([row.group_id, row.group_id in had, row.created_at.isoformat()])
        statement = insert_into(connection, memberships).values({**row._mapping, "lead_id": winner_id})
        connection.execute(statement.on_conflict_do_nothing())
    connection.execute(delete(memberships).where(memberships.c.lead_id == loser_id))
    return moved


def move_back(connection: Connection, winner_id: str, loser_id: str, moved: Mapping[str, Any]) -> None:
    """Give back what the log says, as far as it is still there; what a run of the other's did since goes with it."""
    for name, table, key, whose in _followers():
        for some in _parts(moved.get(name, [])):
            named = (
                key[0].in_(some)
                if len(key) == 1
                else or_(*((key[0] == one) & (key[1] == two) for one, two in some))
            )
            connection.execute(update(table).where(whose == winner_id, named).values({whose: loser_id}))
    for some in _parts(moved.get("runs", [])):
        # Stage and owner stay with the one that goes on, and so do their changes.
        for table in (messages, discounts, tasks):
            connection.execute(
                update(table)
                .where(table.c.lead_id == winner_id, table.c.run_id.in_(some))
                .values(lead_id=loser_id)
            )
    for group, had, since in moved.get("memberships", []):
        row = {"lead_id": loser_id, "group_id": group, "created_at": datetime.fromisoformat(since)}
        connection.execute(insert_into(connection, memberships).values(row).on_conflict_do_nothing())
        if not had:
            connection.execute(
                delete(memberships).where(memberships.c.lead_id == winner_id, memberships.c.group_id == group)
            )

    move_interests_back(connection, winner_id, loser_id, moved.get("interests", []))
    move_segments_back(connection, winner_id, loser_id, moved.get("segment_members", []))


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))


def log_merge(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep a merge, with all that undoing it needs."""
    connection.execute(insert(merges).values(**row))


def mark_undone(connection: Connection, merge_id: str, at: datetime, by: str | None) -> None:
    """The merge was taken back."""
    connection.execute(update(merges).where(merges.c.id == merge_id).values(undone_at=at, undone_by=by))


def load_merge(connection: Connection, merge_id: str) -> Row[Any] | None:
    """A merge by its id, or None."""
    return connection.execute(select(merges).where(merges.c.id == merge_id)).one_or_none()


def merge_between(connection: Connection, winner_id: str, loser_id: str) -> Row[Any] | None:
    """The merge by which the one became the other and which was not taken back, or None."""
    query = select(merges).where(
        merges.c.winner_id == winner_id, merges.c.loser_id == loser_id, merges.c.undone_at.is_(None)
    )
    return connection.execute(query).one_or_none()


def later_merge(connection: Connection, merge: Row[Any]) -> Row[Any] | None:
    """The first merge after this one that its lead took part in and that was not taken back, or None."""
    query = (
        select(merges)
        .where(
            or_(merges.c.at > merge.at, (merges.c.at == merge.at) & (merges.c.id > merge.id)),
            merges.c.undone_at.is_(None),
            or_(merges.c.winner_id == merge.winner_id, merges.c.loser_id == merge.winner_id),
        )
        .order_by(merges.c.at.desc(), merges.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def merges_of(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """Every merge that made the lead what it is, those of the leads it took in too, oldest first."""
    found: dict[str, Row[Any]] = {}
    wanted = {lead_id}
    while wanted:
        query = select(merges).where(or_(merges.c.winner_id.in_(wanted), merges.c.loser_id.in_(wanted)))
        new = [row for row in connection.execute(query) if row.id not in found]
        found |= {row.id: row for row in new}
        wanted = {row.loser_id for row in new} - wanted
    return sorted(found.values(), key=lambda row: (row.at, row.id))


def formerly(connection: Connection, lead_id: str) -> list[str]:
    """The ids of all leads that have become this one."""
    found: list[str] = []
    wanted = [lead_id]
    while wanted:
        query = select(merges.c.loser_id).where(merges.c.winner_id.in_(wanted), merges.c.undone_at.is_(None))
        wanted = [one for one in connection.execute(query).scalars() if one not in found]
        found += wanted
    return found


def was_held_out(connection: Connection, lead_id: str, journey: str) -> bool:
    """Whether a lead that was merged has been in the journey's control group, as either of those that it was.

    The lot is drawn by the lead's id, which is not the one that all of its runs were drawn by.
    """
    query = (
        select(runs.c.id)
        .join(merges, merges.c.winner_id == runs.c.lead_id)
        .where(
            runs.c.lead_id == lead_id, runs.c.journey == journey, runs.c.holdout, merges.c.undone_at.is_(None)
        )
        .limit(1)
    )
    return connection.execute(query).one_or_none() is not None


def merged_since(connection: Connection, lead_id: str, causes: Sequence[str], since: datetime) -> int:
    """How many leads have become this one since then for these causes."""
    query = select(func.count()).where(
        merges.c.winner_id == lead_id,
        merges.c.cause.in_(causes),
        merges.c.at > since,
        merges.c.undone_at.is_(None),
    )
    return connection.execute(query).scalar_one()


def point_to(connection: Connection, loser_id: str, winner_id: str | None) -> None:
    """The one lead has become the other; None: it is one of its own again."""
    connection.execute(update(leads).where(leads.c.id == loser_id).values(merged_into=winner_id))
