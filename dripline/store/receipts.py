"""Signed requests that were taken lately: a copy of one is not taken again."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete

from dripline.store.database import insert_into
from dripline.store.schema import receipts


def take_once(connection: Connection, kind: str, signature: str, machine_now: datetime) -> bool:
    """Whether this signature comes for the first time. `kind` keeps one provider's apart from another's."""
    key = hashlib.sha256(f"{kind}:{signature}".encode()).hexdigest()
    statement = insert_into(connection, receipts).values(key=key, at=machine_now).on_conflict_do_nothing()
    return connection.execute(statement.returning(receipts.c.key)).one_or_none() is not None


def forget_receipts(connection: Connection, before: datetime) -> int:
    """Drop what no signature can be as old as (machine time); how many there were."""
    return connection.execute(delete(receipts).where(receipts.c.at < before)).rowcount
