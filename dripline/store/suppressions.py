"""Addresses that get nothing, or no marketing: kept as keyed hashes, so that the list outlives an erasure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from dripline.store.database import insert_into
from dripline.store.schema import bounces, suppressions

BY_HAND = "by hand"
SOFT = "soft-bounced"
UNSUBSCRIBED = "unsubscribed"

ERASED = "erased"
"""The lead was erased: until the person itself says yes again."""

SUPPRESSING = {"bounced": "bounced", "complained": "complained", "unsubscribed": UNSUBSCRIBED}
"""What a provider reports, and why the address is on the list then."""

REASONS = ("bounced", "complained", BY_HAND, ERASED, UNSUBSCRIBED, SOFT)
"""Why an address is on the list, what weighs most first: a heavier reason takes the place of a lighter one."""


def suppress(
    connection: Connection,
    channel: str,
    address_hash: str,
    reason: str,
    at: datetime,
    by: str | None = None,
    why: str | None = None,
) -> bool:
    """Put the address on the list; whether anything is different now. A heavier reason that is there stays."""
    row = {"channel": channel, "address_hash": address_hash}
    said = {"reason": reason, "created_at": at, "by": by, "why": why}
    statement = insert_into(connection, suppressions).values(**row, **said).on_conflict_do_nothing()
    if connection.execute(statement.returning(suppressions.c.channel)).one_or_none() is not None:
        return True
    lighter = REASONS[REASONS.index(reason) + 1 :]
    changed = connection.execute(
        update(suppressions)
        .where(_this(channel, address_hash), suppressions.c.reason.in_(lighter))
        .values(said)
    )
    return changed.rowcount == 1


def suppression(connection: Connection, channel: str, address_hash: str) -> Row[Any] | None:
    """The entry of that address, or None."""
    return connection.execute(select(suppressions).where(_this(channel, address_hash))).one_or_none()


def suppressed_by(connection: Connection, channel: str, address_hash: str) -> str | None:
    """The reason for which nothing, or no marketing, goes to that address; None where anything may."""
    entry = suppression(connection, channel, address_hash)
    return None if entry is None else str(entry.reason)


def lift(connection: Connection, channel: str, address_hash: str) -> str | None:
    """Take the address off the list, and forget what bounced; the reason for which it was there."""
    row = suppression(connection, channel, address_hash)
    connection.execute(delete(bounces).where(_counted(channel, address_hash)))
    if row is None:
        return None
    connection.execute(delete(suppressions).where(_this(channel, address_hash)))
    return str(row.reason)


def forgive(connection: Connection, channel: str, address_hash: str) -> None:
    """Write again to who says yes anew, though the lead had unsubscribed, was erased, or took nothing for a while.

    A bounce, a complaint and what somebody of ours put there stay.
    """
    connection.execute(
        delete(suppressions).where(
            _this(channel, address_hash), suppressions.c.reason.in_((UNSUBSCRIBED, ERASED, SOFT))
        )
    )


def counted_by_reason(connection: Connection) -> list[Row[Any]]:
    """How many addresses are on the list: `channel`, `reason`, `number`."""
    query = select(suppressions.c.channel, suppressions.c.reason, func.count().label("number"))
    grouped = query.group_by(suppressions.c.channel, suppressions.c.reason)
    return list(connection.execute(grouped.order_by(suppressions.c.channel, suppressions.c.reason)))


def put_by_hand(connection: Connection, most: int = 50) -> list[Row[Any]]:
    """The newest entries that somebody made: without an address, as none is kept."""
    query = select(suppressions).where(suppressions.c.by.is_not(None) | suppressions.c.why.is_not(None))
    return list(connection.execute(query.order_by(suppressions.c.created_at.desc()).limit(most)))


def count_soft_bounce(
    connection: Connection, channel: str, address_hash: str, message_id: str, at: datetime
) -> tuple[int, timedelta]:
    """Count a message that was refused for the moment, once however often that is said.

    How many in a row there are now, and how far the first and the last of them are apart. Lock the lead first.
    """
    row = connection.execute(select(bounces).where(_counted(channel, address_hash))).one_or_none()
    if row is None:
        first = {"times": 1, "first_at": at, "last_at": at, "message_id": message_id}
        key = {"channel": channel, "address_hash": address_hash}
        connection.execute(insert_into(connection, bounces).values(**key, **first).on_conflict_do_nothing())
        return 1, timedelta()
    if row.message_id == message_id:
        return row.times, row.last_at - row.first_at
    last_at = max(at, row.last_at)
    connection.execute(
        update(bounces)
        .where(_counted(channel, address_hash))
        .values(times=row.times + 1, last_at=last_at, message_id=message_id)
    )
    return row.times + 1, last_at - row.first_at


def forget_bounces(connection: Connection, channel: str, address_hash: str) -> None:
    """A message arrived: what bounced before counts no more."""
    connection.execute(delete(bounces).where(_counted(channel, address_hash)))


def _this(channel: str, address_hash: str) -> Any:
    return (suppressions.c.channel == channel) & (suppressions.c.address_hash == address_hash)


def _counted(channel: str, address_hash: str) -> Any:
    return (bounces.c.channel == channel) & (bounces.c.address_hash == address_hash)
