"""Signed requests that were taken lately: a copy of one is not taken again."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from dripline.store.database import insert_into
from dripline.store.schema import receipts

KEPT = timedelta(days=1)
"""How long a request is remembered: far longer than SendGrid's signatures are taken."""


def take_once(connection: Connection, kind: str, signature: str, machine_now: datetime) -> bool:
    """Whether this signature comes for the first time. `kind` keeps one provider's apart from another's."""
    key = _key(kind, signature)
    statement = insert_into(connection, receipts).values(key=key, at=machine_now).on_conflict_do_nothing()
    return connection.execute(statement.returning(receipts.c.key)).one_or_none() is not None


def is_taken(connection: Connection, kind: str, signature: str) -> bool:
    """Whether it came before."""
    query = select(receipts.c.key).where(receipts.c.key == _key(kind, signature))
    return connection.execute(query).one_or_none() is not None


def forget_receipts(connection: Connection, before: datetime) -> int:
    """Drop what no signature can be as old as (machine time); how many there were."""
    return connection.execute(delete(receipts).where(receipts.c.at < before)).rowcount


def _key(kind: str, signature: str) -> str:
    return hashlib.sha256(f"{kind}:{signature}".encode("utf-8", "surrogatepass")).hexdigest()
