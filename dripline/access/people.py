"""The people who may look at the pages: invited by a link, which lasts a day and works once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, Row, insert, select, update
from uuid_utils import uuid7

from dripline.access.keys import hash_of
from dripline.access.roles import Role
from dripline.access.sessions import end_sessions
from dripline.store.audit import record_act
from dripline.store.schema import users

INVITED = timedelta(hours=24)
"""How long an invitation lasts."""


class NotPossible(ValueError):
    """It cannot be done to this person. The message says why."""


@dataclass(frozen=True)
class Invitation:
    """A link by which somebody chooses a password. `token` is shown now and never again."""

    user_id: str
    token: str

    @property
    def path(self) -> str:
        """Where it leads."""
        return f"/invitation/{self.token}"


def read_email(text: str) -> str:
    """An address as it is kept here. Raises NotPossible."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise NotPossible("That is no e-mail address.") from None


def invite(
    connection: Connection,
    email: str,
    role: Role,
    machine_now: datetime,
    by: str | None,
    name: str | None = None,
) -> Invitation:
    """Add somebody. Raises NotPossible."""
    address = read_email(email)
    if find_user(connection, address) is not None:
        raise NotPossible("Somebody of that address is there already.")
    user_id, token = str(uuid7()), secrets.token_urlsafe(32)
    connection.execute(
        insert(users).values(
            id=user_id,
            email=address,
            name=name,
            role=role,
            invitation=hash_of(token),
            invited_until=machine_now + INVITED,
            created_at=machine_now,
            created_by=by,
        )
    )
    record_act(connection, "user-added", by, None, machine_now, user=user_id, role=role)
    return Invitation(user_id, token)


def reset(connection: Connection, user_id: str, machine_now: datetime, by: str | None) -> Invitation:
    """Take somebody's password away, log them out, and let them choose another by a link."""
    token = secrets.token_urlsafe(32)
    values = {"invitation": hash_of(token), "invited_until": machine_now + INVITED}
    connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(password=None, failures=0, locked_until=None, **values)
    )
    end_sessions(connection, user_id)
    record_act(connection, "user-reset", by, None, machine_now, user=user_id)
    return Invitation(user_id, token)


def find_user(connection: Connection, email: str) -> Row[Any] | None:
    """Who has that address."""
    return connection.execute(select(users).where(users.c.email == email.strip().lower())).one_or_none()


def find_user_by_id(connection: Connection, user_id: str) -> Row[Any] | None:
    """Who has that id."""
    return connection.execute(select(users).where(users.c.id == user_id)).one_or_none()


def lock_user(connection: Connection, user_id: str) -> Row[Any] | None:
    """Lock somebody's row until the transaction ends, and return it."""
    return connection.execute(select(users).where(users.c.id == user_id).with_for_update()).one_or_none()


def find_invited(connection: Connection, token: str, machine_now: datetime) -> Row[Any] | None:
    """Whom this link invites, as long as it lasts."""
    query = select(users).where(
        users.c.invitation == hash_of(token),
        users.c.invited_until > machine_now,
        users.c.disabled_at.is_(None),
    )
    return connection.execute(query).one_or_none()


def list_users(connection: Connection) -> list[Row[Any]]:
    """Everybody, by address."""
    return list(connection.execute(select(users).order_by(users.c.email)))


def is_anybody_there(connection: Connection) -> bool:
    """Whether there are people who log in."""
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def set_password(connection: Connection, user_id: str, kept: str, machine_now: datetime, what: str) -> None:
    """Keep the hash of a new password; it ends every session and every invitation."""
    connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(password=kept, invitation=None, invited_until=None, failures=0, locked_until=None)
    )
    end_sessions(connection, user_id)
    record_act(connection, what, None, None, machine_now, user=user_id)


def set_role(connection: Connection, user_id: str, role: Role, machine_now: datetime, by: str | None) -> None:
    """Give somebody another role, at once. Raises NotPossible for the last admin."""
    if role != "admin":
        _refuse_last_admin(connection, user_id)
    connection.execute(update(users).where(users.c.id == user_id).values(role=role))
    record_act(connection, "user-role", by, None, machine_now, user=user_id, role=role)


def disable(
    connection: Connection, user_id: str, machine_now: datetime, by: str | None, why: str | None = None
) -> None:
    """Let somebody in no more, and log them out. Raises NotPossible for the last admin."""
    _refuse_last_admin(connection, user_id)
    values = {"disabled_at": machine_now, "invitation": None, "invited_until": None}
    connection.execute(update(users).where(users.c.id == user_id).values(**values))
    end_sessions(connection, user_id)
    record_act(connection, "user-disabled", by, why, machine_now, user=user_id)


def enable(connection: Connection, user_id: str, machine_now: datetime, by: str | None) -> None:
    """Let somebody in again, by the password that they had."""
    connection.execute(
        update(users).where(users.c.id == user_id).values(disabled_at=None, failures=0, locked_until=None)
    )
    record_act(connection, "user-enabled", by, None, machine_now, user=user_id)


def _refuse_last_admin(connection: Connection, user_id: str) -> None:
    admins = users.c.role == "admin", users.c.disabled_at.is_(None)
    # Locked, so that two admins cannot take the role from each other at one moment.
    held = connection.execute(select(users.c.id).where(*admins).order_by(users.c.id).with_for_update())
    ids = [row.id for row in held]
    if ids == [user_id]:
        raise NotPossible("This is the only admin: make somebody else one first.")
