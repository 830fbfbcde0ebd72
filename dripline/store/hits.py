"""Opens and clicks as they came, those of machines too: a row each, without anything of who or what came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from dripline.store.schema import hits, messages

UNDECIDED = "undecided"
"""In the place of a machine: it is too early to say."""

HIT_OF = {"opened": "open", "clicked": "click"}
"""By what a provider reports, the kind of hit."""

_KEEP = insert(hits)
_COUNT = select(func.count()).where(
    hits.c.message_id == bindparam("message"), hits.c.kind == bindparam("hit_kind")
)
_SINCE = select(hits).where(
    hits.c.message_id == bindparam("message"), hits.c.at >= bindparam("since", type_=hits.c.at.type)
)
_RIPE = (
    select(hits.c.id, hits.c.message_id)
    .where(hits.c.machine == UNDECIDED, hits.c.at <= bindparam("before", type_=hits.c.at.type))
    .order_by(hits.c.at)
    .limit(bindparam("most"))
)
_FIRST = {
    "open": update(messages).values(
        first_opened_at=func.coalesce(
            messages.c.first_opened_at, bindparam("first", type_=messages.c.first_opened_at.type)
        )
    ),
    "click": update(messages).values(
        first_clicked_at=func.coalesce(
            messages.c.first_clicked_at, bindparam("first", type_=messages.c.first_clicked_at.type)
        )
    ),
}


def keep(
    connection: Connection, message: str, kind: str, at: datetime, link: str | None, machine: str | None
) -> None:
    """Write an open or a click down."""
    row = {"message_id": message, "kind": kind, "at": at, "link": link, "machine": machine}
    connection.execute(_KEEP, row)


def once(
    connection: Connection, message: str, kind: str, at: datetime, link: str | None, machine: str | None
) -> None:
    """Write down what a provider tells, which may tell it twice."""
    same = (
        hits.c.message_id == message,
        hits.c.kind == kind,
        hits.c.link.is_(None) if link is None else hits.c.link == link,
        hits.c.machine.is_(None) if machine is None else hits.c.machine == machine,
    )
    if connection.execute(select(hits.c.id).where(*same).limit(1)).first() is None:
        keep(connection, message, kind, at, link, machine)


def count(connection: Connection, message: str, kind: str) -> int:
    """How often a message was opened, or clicked, by whomever."""
    return connection.execute(_COUNT, {"message": message, "hit_kind": kind}).scalar_one()


def since(connection: Connection, message: str, at: datetime) -> list[Row[Any]]:
    """What came for a message since then."""
    return list(connection.execute(_SINCE, {"message": message, "since": at}))


def ripe(connection: Connection, before: datetime, most: int) -> list[Row[Any]]:
    """Hits up to then that are still undecided, oldest first."""
    return list(connection.execute(_RIPE, {"before": before, "most": most}))


def oldest_undecided(connection: Connection) -> datetime | None:
    """When the oldest came that is undecided."""
    query = select(func.min(hits.c.at)).where(hits.c.machine == UNDECIDED)
    oldest: datetime | None = connection.execute(query).scalar_one()
    return oldest


def decide(connection: Connection, ids: Collection[int], machine: str | None) -> int:
    """Say of undecided hits what they were; None: a person. How many were undecided."""
    still = hits.c.id.in_(ids), hits.c.machine == UNDECIDED
    return connection.execute(update(hits).where(*still).values(machine=machine)).rowcount


def load(connection: Connection, hit: int) -> Row[Any] | None:
    """One of them."""
    return connection.execute(select(hits).where(hits.c.id == hit)).one_or_none()


def of_person(connection: Connection, message: str, kind: str, at: datetime) -> None:
    """Remember when a person first opened or clicked a message."""
    connection.execute(_FIRST[kind].where(messages.c.id == message), {"first": at})


def of_messages(connection: Connection, wanted: Sequence[str]) -> list[Row[Any]]:
    """By message, kind, link and machine, how often and when first, in that order."""
    at, times = func.min(hits.c.at).label("at"), func.count().label("times")
    by = (hits.c.message_id, hits.c.kind, hits.c.link, hits.c.machine)
    query = select(*by, at, times).where(hits.c.message_id.in_(wanted)).group_by(*by)
    return list(connection.execute(query.order_by(hits.c.kind.desc(), at)))


__all__ = [
    "HIT_OF",
    "UNDECIDED",
    "count",
    "decide",
    "keep",
    "load",
    "of_messages",
    "of_person",
    "oldest_undecided",
    "once",
    "ripe",
    "since",
]
