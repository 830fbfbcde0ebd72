"""What people did to the whole installation: who, when and why. Lines are added, and never changed.

The rules of retention may take old ones away, as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dripline.store.schema import audit, users


def record_act(
    connection: Connection, what: str, by: str | None, why: str | None, machine_now: datetime, **detail: Any
) -> None:
    """Keep what somebody did, in the transaction that does it. `detail` holds counts and ids, no personal data."""
    connection.execute(insert(audit).values(at=machine_now, what=what, by=by, why=why, detail=detail))


def last_act(connection: Connection, what: str) -> Row[Any] | None:
    """The last time that somebody did that: `at` (machine time), `by`, `why`, `detail`."""
    query = select(audit).where(audit.c.what == what).order_by(audit.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


@dataclass(frozen=True)
class Wanted:
    """Which lines; what is None does not matter."""

    since: datetime | None = None
    """Machine time."""
    what: str | None = None
    """`publish`; `key` stands for `key-created`, `key-revoked`, …"""
    by: str | None = None
    """Part of who did it, or of whose account it is."""


@dataclass(frozen=True)
class Act:
    """A line. `about` is the address of the person whose account it is about, where it is about one."""

    id: int
    at: datetime
    what: str
    by: str | None
    why: str | None
    detail: dict[str, Any]
    about: str | None


def list_acts(connection: Connection, wanted: Wanted, before: int | None, limit: int) -> list[Act]:
    """Lines, newest first; `before` is the id of the last line of the page before."""
    who = {row.id: row.email for row in connection.execute(select(users.c.id, users.c.email))}
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.what is not None:
        starts = audit.c.what.startswith(f"{wanted.what}-", autoescape=True)
        query = query.where((audit.c.what == wanted.what) | starts)
    if wanted.by is not None:
        named = audit.c.by.contains(wanted.by, autoescape=True)
        theirs = [id_ for id_, email in who.items() if wanted.by in email]
        query = query.where(named | (audit.c.by.is_(None) & audit.c.detail["user"].as_string().in_(theirs)))
    if before is not None:
        query = query.where(audit.c.id < before)
    return [
        Act(row.id, row.at, row.what, row.by, row.why, row.detail, who.get(row.detail.get("user", "")))
        for row in connection.execute(query)
    ]


def kinds_of_acts(connection: Connection) -> list[str]:
    """What is there to ask for."""
    return list(connection.execute(select(audit.c.what).distinct().order_by(audit.c.what)).scalars())
