"""Logging in: whoever tries learns nothing of who is known here, neither by the words nor by the time that it takes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from dripline.access.passwords import hash_password, is_outdated, is_right
from dripline.access.people import find_user, lock_user
from dripline.access.sessions import begin_session, end_session
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.schema import users
from dripline.store.tallies import tally

TRIES = 5
"""Wrong passwords in a row after which nobody gets in as this person for a while, not even by the right one."""

LOCKED = timedelta(minutes=15)


def log_in(
    store: Store, email: str, password: str, machine_now: datetime, old: str | None = None
) -> str | None:
    """The token of a new session, or None, whatever the reason. The session `old` of the same browser ends."""
    with store.read() as connection:
        row = find_user(connection, email)
    # Outside a transaction: it takes a while, by intent.
    right = is_right(row.password if row else None, password)
    outdated = right and row is not None and is_outdated(row.password)
    anew = hash_password(password) if outdated else None
    with store.write() as connection:
        if row is None:
            tally(connection, "login.unknown", machine_now)
            return None
        if not _enters(connection, row.id, row.password, machine_now, right=right):
            return None
        if anew is not None:
            connection.execute(update(users).where(users.c.id == row.id).values(password=anew))
        if old is not None:
            end_session(connection, old)
        record_act(connection, "login", None, None, machine_now, user=row.id)
        return begin_session(connection, row.id, machine_now)


def _enters(
    connection: Connection, user_id: str, kept: str | None, machine_now: datetime, *, right: bool
) -> bool:
    """Whether they may come in now; what was wrong is counted."""
    row = lock_user(connection, user_id)
    if row is None or row.disabled_at is not None or row.password is None or row.password != kept:
        tally(connection, "login.closed", machine_now)
        return False
    if row.locked_until is not None and row.locked_until > machine_now:
        tally(connection, "login.locked", machine_now)
        return False
    if right:
        connection.execute(update(users).where(users.c.id == row.id).values(failures=0, locked_until=None))
        return True
    failures = row.failures + 1
    over = failures >= TRIES
    connection.execute(
        update(users)
        .where(users.c.id == row.id)
        .values(failures=0 if over else failures, locked_until=machine_now + LOCKED if over else None)
    )
    record_act(connection, "login-locked" if over else "login-failed", None, None, machine_now, user=row.id)
    return False
