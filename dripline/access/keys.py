"""API keys: made, shown once, and from then on known by a hash alone.

The hash is a plain SHA-256. Slow hashes (argon2, as passwords have) make guessing costly where there is something to
guess; a key is 256 random bits, which nobody guesses at any speed, and it is hashed with each request.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from uuid_utils import uuid7

from dripline.access.scopes import Scope
from dripline.store.audit import record_act
from dripline.store.schema import api_keys

GRACE = timedelta(hours=24)
"""For how long a key goes on working after it was replaced, where nothing else is said."""

_SHOWN = 12
"""Characters that are kept of a key, to tell it from others: four of them are random."""

_UNTOUCHED = timedelta(minutes=10)
"""How exact `last_used_at` is: a write for each request would cost more than it tells."""


class NoSuchKey(LookupError):
    """No key, or more than one, is meant. The message says so, and how to name one."""


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `secret` is shown now and never again."""

    id: str
    name: str
    prefix: str
    secret: str


def hash_of(secret: str) -> str:
    """By what a key, or any other random token, is recognised."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    connection: Connection,
    name: str,
    scopes: Sequence[Scope],
    machine_now: datetime,
    by: str | None,
    *,
    live: bool,
    per_minute: int | None = None,
    expires_at: datetime | None = None,
    replaces: str | None = None,
) -> NewKey:
    """Make a key. `live` is for production: the key's first letters tell it from one to try things with."""
    secret = f"dl_{'live' if live else 'test'}_{secrets.token_urlsafe(32)}"
    key = NewKey(str(uuid7()), name, secret[:_SHOWN], secret)
    connection.execute(
        insert(api_keys).values(
            id=key.id,
            name=name,
            prefix=key.prefix,
            hash=hash_of(secret),
            scopes=list(scopes),
            per_minute=per_minute,
            created_at=machine_now,
            created_by=by,
            expires_at=expires_at,
            replaces=replaces,
        )
    )
    if replaces is None:
        record_act(
            connection, "key-created", by, None, machine_now, key=key.id, name=name, scopes=list(scopes)
        )
    return key


def rotate_key(
    connection: Connection,
    key_id: str,
    machine_now: datetime,
    by: str | None,
    *,
    live: bool,
    grace: timedelta = GRACE,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key like that one, which goes on working for the grace period. Raises NoSuchKey for one that is over."""
    old = connection.execute(select(api_keys).where(api_keys.c.id == key_id).with_for_update()).one_or_none()
    if old is None or not is_alive(old, machine_now):
        raise NoSuchKey("This key is revoked or has expired: make a new one.")
    new = create_key(
        connection,
        old.name,
        old.scopes,
        machine_now,
        by,
        live=live,
        per_minute=old.per_minute,
        expires_at=expires_at,
        replaces=old.id,
    )
    over = machine_now + grace
    if old.expires_at is not None:
        over = min(over, old.expires_at)
    connection.execute(update(api_keys).where(api_keys.c.id == old.id).values(expires_at=over))
    record_act(connection, "key-rotated", by, None, machine_now, key=new.id, name=old.name, instead_of=old.id)
    return new


def revoke_key(
    connection: Connection, key_id: str, machine_now: datetime, by: str | None, why: str | None = None
) -> bool:
    """Let a key open nothing any more; False where it was revoked before."""
    query = (
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=machine_now)
        .returning(api_keys.c.name)
    )
    row = connection.execute(query).one_or_none()
    if row is not None:
        record_act(connection, "key-revoked", by, why, machine_now, key=key_id, name=row.name)
    return row is not None


def find_key(connection: Connection, secret: str) -> Row[Any] | None:
    """The row of the key, alive or not.

    It is looked up by its hash, so that the time of a comparison says nothing of a key: who does not have it cannot
    steer what its hash is.
    """
    return connection.execute(select(api_keys).where(api_keys.c.hash == hash_of(secret))).one_or_none()


def is_alive(row: Row[Any], machine_now: datetime) -> bool:
    """Whether the key opens anything now."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > machine_now)


def note_use(connection: Connection, row: Row[Any], machine_now: datetime) -> None:
    """Keep that the key was used about now."""
    connection.execute(update(api_keys).where(api_keys.c.id == row.id).values(last_used_at=machine_now))


def is_use_worth_noting(row: Row[Any], machine_now: datetime) -> bool:
    """Whether what is kept of the key's last use is no longer about right."""
    return row.last_used_at is None or machine_now - row.last_used_at > _UNTOUCHED


def list_keys(connection: Connection) -> list[Row[Any]]:
    """All keys, newest first, those that are over too."""
    return list(connection.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)))


def choose_key(connection: Connection, text: str, machine_now: datetime) -> Row[Any]:
    """The living key of that name, beginning or id. Raises NoSuchKey where there is none, or several."""
    named = or_(api_keys.c.name == text, api_keys.c.prefix == text[:_SHOWN], api_keys.c.id == text)
    found = [row for row in connection.execute(select(api_keys).where(named)) if is_alive(row, machine_now)]
    if len(found) > 1:
        which = ", ".join(row.prefix for row in found)
        raise NoSuchKey(f"Several keys are called {text}: say the beginning of one ({which}).")
    if not found:
        raise NoSuchKey(f"No living key is called {text}: `dripline key list` shows all.")
    return found[0]


__all__ = [
    "GRACE",
    "NewKey",
    "NoSuchKey",
    "choose_key",
    "create_key",
    "find_key",
    "hash_of",
    "is_alive",
    "is_use_worth_noting",
    "list_keys",
    "note_use",
    "revoke_key",
    "rotate_key",
]
