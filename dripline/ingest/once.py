"""A request is done once: its answer is kept by its Idempotency-Key, in the transaction of what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from dripline.ingest.refusal import Refused
from dripline.store.database import insert_into
from dripline.store.schema import idempotency


@dataclass(frozen=True)
class Answer:
    """What the caller is told: an HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]
    repeated: bool = False
    """Whether this is the answer kept from an earlier request with the same key."""


@dataclass(frozen=True)
class Request:
    """What a key stands for: the SHA-256 (hex) of method, path and body."""

    key: str
    hash: str


def once(
    connection: Connection, request: Request | None, machine_now: datetime, do: Callable[[], Answer]
) -> Answer:
    """The kept answer to this request, or else what `do` answers, kept. What it refuses is not kept.

    A second request with the key waits until the first one's transaction has ended. Raises Refused (422)
    where the key stood for something else.
    """
    if request is None:
        return do()
    claim = insert_into(connection, idempotency).values(
        key=request.key, request_hash=request.hash, status=0, body={}, created_at=machine_now
    )
    claimed = claim.on_conflict_do_nothing().returning(idempotency.c.key)
    if connection.execute(claimed).one_or_none() is None:
        return _repeat(connection, request)
    answer = do()
    connection.execute(
        update(idempotency)
        .where(idempotency.c.key == request.key)
        .values(status=answer.status, body=answer.body)
    )
    return answer


def remembered(connection: Connection, request: Request | None) -> Answer | None:
    """The kept answer to this request, if there is one. Raises Refused (422) as `once` does."""
    if request is None:
        return None
    query = select(idempotency.c.key).where(idempotency.c.key == request.key)
    return None if connection.execute(query).one_or_none() is None else _repeat(connection, request)


def _repeat(connection: Connection, request: Request) -> Answer:
    kept = connection.execute(select(idempotency).where(idempotency.c.key == request.key)).one()
    if kept.request_hash != request.hash:
        raise Refused(
            422,
            "idempotency-key-reused",
            "This Idempotency-Key came with another request before. Use a new one.",
        )
    return Answer(kept.status, kept.body, repeated=True)
