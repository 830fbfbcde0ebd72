"""Who was given which lead, why just they, and whether they showed a reaction in time."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, insert, or_, select, update

from dripline.store.schema import absences, assignments

MEMORY = timedelta(days=365)
"""How far back conversions count for somebody."""
DECIDED = timedelta(days=30)
"""After so long a lead that is still open counts as not won."""
NOT_AGAIN = timedelta(days=30)
"""For how long a lead does not come back to whoever did not react to it."""

_OPEN = assignments.c.ended_at.is_(None)
_NOT_HAD = ("no-reaction", "reassigned", "renewed", "merged", "erased")
"""Ends of assignments that say nothing of how good somebody is: another had the lead in the end, or nobody can."""


@dataclass(frozen=True)
class Record:
    """How somebody stands: open leads, how many were given and won, when they got one last, whether they are away."""

    open: int = 0
    given: int = 0
    won: int = 0
    last_given: datetime | None = None
    turn: int = 0
    """The number of that last one: greater than those before."""
    away: bool = False


def lock_team(connection: Connection, name: str) -> None:
    """Let nobody else choose of the team until the transaction is over. The last lock that is taken.

    SQLite lets one write at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(zlib.crc32(f"team:{name}".encode()))))


def records_of(
    connection: Connection, people: Collection[str], at: datetime, team: str | None = None
) -> dict[str, Record]:
    """How each of these people stands at that moment; `team` is whose last lead is looked for.

    How many were given and won counts what is not longer ago than `MEMORY`.
    """
    table = assignments.c
    had = and_(
        or_(table.ended.is_(None), table.ended.not_in(_NOT_HAD)),
        or_(table.ended.is_not(None), table.at < at - DECIDED),
    )
    query = (
        select(
            table.person,
            func.count(case((had, 1))).label("given"),
            func.count(case((and_(had, table.ended == "converted"), 1))).label("won"),
        )
        .where(table.person.in_(list(people)), table.at > at - MEMORY)
        .group_by(table.person)
    )
    has = select(table.person, func.count().label("number")).where(table.person.in_(list(people)), _OPEN)
    busy = {row.person: row.number for row in connection.execute(has.group_by(table.person))}
    rows = {row.person: (row.given, row.won) for row in connection.execute(query)}
    away = away_at(connection, at)
    found = {}
    for name in people:
        last = _last_given(connection, name, team)
        given, won = rows.get(name, (0, 0))
        number = last.id if last else 0
        found[name] = Record(busy.get(name, 0), given, won, last.at if last else None, number, name in away)
    return found


def _last_given(connection: Connection, person: str, team: str | None) -> Any:
    """What somebody was given last, by that team or by any, however long ago."""
    query = select(assignments.c.id, assignments.c.at).where(assignments.c.person == person)
    if team:
        query = query.where(assignments.c.team == team)
    return connection.execute(
        query.order_by(assignments.c.at.desc(), assignments.c.id.desc()).limit(1)
    ).one_or_none()


def add_assignment(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep that somebody was given a lead, or that nobody was to be had."""
    connection.execute(insert(assignments).values(**row))


def end_assignments(connection: Connection, lead_id: str, at: datetime, ended: str) -> None:
    """The lead's open assignment is over: it was lost, won or erased, or somebody else has the lead."""
    connection.execute(
        update(assignments).where(assignments.c.lead_id == lead_id, _OPEN).values(ended_at=at, ended=ended)
    )


def open_assignments(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """The assignments of the lead that are not over, the first first."""
    query = select(assignments).where(assignments.c.lead_id == lead_id, _OPEN)
    return list(connection.execute(query.order_by(assignments.c.id)))


def end_these(connection: Connection, ids: Collection[int], at: datetime, ended: str) -> None:
    """These assignments are over."""
    if ids:
        over = update(assignments).where(assignments.c.id.in_(list(ids)), _OPEN)
        connection.execute(over.values(ended_at=at, ended=ended))


def open_again(connection: Connection, ids: Collection[int]) -> None:
    """These assignments go on, as if they had never been over."""
    if ids:
        again = update(assignments).where(assignments.c.id.in_(list(ids)))
        connection.execute(again.values(ended_at=None, ended=None))


def open_assignment(connection: Connection, lead_id: str) -> Row[Any] | None:
    """The newest assignment of the lead that is not over, or None."""
    query = select(assignments).where(assignments.c.lead_id == lead_id, _OPEN)
    return connection.execute(query.order_by(assignments.c.id.desc()).limit(1)).one_or_none()


def newest_handover(connection: Connection, lead_id: str) -> Row[Any] | None:
    """The newest assignment of the lead that a journey made, or None: who got the lead after it, got it by that."""
    table = assignments.c
    by_a_journey = (table.lead_id == lead_id, table.run_id.is_not(None), table.person.is_not(None))
    query = select(assignments).where(*by_a_journey).order_by(table.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


def note_reaction(connection: Connection, lead_id: str, at: datetime) -> bool:
    """Whoever has the lead has reacted; whether that was still to come. Lock the lead first."""
    done = connection.execute(
        update(assignments)
        .where(assignments.c.lead_id == lead_id, _OPEN, assignments.c.reacted_at.is_(None))
        .values(reacted_at=at)
    )
    return done.rowcount > 0


def wait_no_longer(connection: Connection, assignment_id: int) -> None:
    """Nobody else can have the lead: it stays where it is."""
    connection.execute(update(assignments).where(assignments.c.id == assignment_id).values(react_by=None))


def did_not_react(connection: Connection, lead_id: str, at: datetime) -> frozenset[str]:
    """Those who had the lead of late and did not react to it."""
    table = assignments.c
    query = select(table.person).where(
        table.lead_id == lead_id, table.ended == "no-reaction", table.at > at - NOT_AGAIN
    )
    return frozenset(name for name in connection.execute(query).scalars() if name)


def unreacted(connection: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Open assignments whose reaction is overdue, the longest first."""
    query = (
        select(assignments)
        .where(
            assignments.c.react_by.is_not(None),
            assignments.c.react_by <= now,
            assignments.c.reacted_at.is_(None),
            _OPEN,
        )
        .order_by(assignments.c.react_by)
        .limit(limit)
    )
    return connection.execute(query).all()


def assignments_of(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """Everybody who was given the lead, the first first."""
    query = select(assignments).where(assignments.c.lead_id == lead_id)
    return list(connection.execute(query.order_by(assignments.c.at, assignments.c.id)))


# -- absences ------------------------------------------------------------------------------------------------


def away_at(connection: Connection, at: datetime) -> frozenset[str]:
    """Those who are away at that moment."""
    table = absences.c
    query = select(table.person).where(table.since <= at, table.until > at, table.ended_at.is_(None))
    return frozenset(connection.execute(query).scalars())


def add_absence(connection: Connection, person: str, since: datetime, until: datetime, by: str | None) -> int:
    """Somebody is away; the id."""
    row = {"person": person, "since": since, "until": until, "by": by}
    done = connection.execute(insert(absences).values(**row))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def end_absences(connection: Connection, person: str, at: datetime) -> int:
    """Somebody is back, and not away later either; how many absences that ended."""
    table = absences.c
    return connection.execute(
        update(absences)
        .where(table.person == person, table.until > at, table.ended_at.is_(None))
        .values(ended_at=at)
    ).rowcount


def absences_from(connection: Connection, at: datetime) -> list[Row[Any]]:
    """Absences that are not over at that moment, by their beginning."""
    table = absences.c
    query = select(absences).where(table.until > at, table.ended_at.is_(None))
    return list(connection.execute(query.order_by(table.since, table.id)))
