"""Who is logged in: a random token in a cookie, of which the store has the hash."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from dripline.access.keys import hash_of
from dripline.store.schema import sessions, users

IDLE = timedelta(hours=8)
"""After so long without a page somebody has to log in again."""

LONGEST = timedelta(days=7)
"""After so long in any case."""

_UNTOUCHED = timedelta(minutes=5)
"""How exact `seen_at` is."""


def begin_session(connection: Connection, user_id: str, machine_now: datetime) -> str:
    """Log somebody in; the token for the cookie. What is over of anybody's is dropped."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= machine_now))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions).values(
            hash=hash_of(token),
            user_id=user_id,
            created_at=machine_now,
            seen_at=machine_now,
            expires_at=machine_now + LONGEST,
        )
    )
    return token


def find_session(connection: Connection, token: str, machine_now: datetime) -> Row[Any] | None:
    """The user whose session this is, with `seen_at`; None where it is over, or the user is disabled."""
    query = (
        select(users, sessions.c.seen_at)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(
            sessions.c.hash == hash_of(token),
            sessions.c.expires_at > machine_now,
            sessions.c.seen_at > machine_now - IDLE,
            users.c.disabled_at.is_(None),
        )
    )
    return connection.execute(query).one_or_none()


def is_sight_worth_noting(row: Row[Any], machine_now: datetime) -> bool:
    """Whether what is kept of when somebody was here last is no longer about right."""
    return bool(machine_now - row.seen_at > _UNTOUCHED)


def note_sight(connection: Connection, token: str, machine_now: datetime) -> None:
    """Keep that somebody was here about now."""
    connection.execute(update(sessions).where(sessions.c.hash == hash_of(token)).values(seen_at=machine_now))


def end_session(connection: Connection, token: str) -> None:
    """Log somebody out."""
    connection.execute(delete(sessions).where(sessions.c.hash == hash_of(token)))


def end_sessions(connection: Connection, user_id: str) -> int:
    """Log somebody out everywhere; of how many sessions."""
    return connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount
