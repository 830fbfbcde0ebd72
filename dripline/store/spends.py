"""What was paid for advertising and the like: one row for the same days, source, channel and campaign."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from dripline.store.database import insert_into
from dripline.store.schema import spends


@dataclass(frozen=True)
class Spend:
    """What was paid for these days, the first and the last of them included. In minor units (ISO 4217)."""

    first_day: date
    last_day: date
    amount: int
    currency: str
    source: str | None = None
    channel: str | None = None
    campaign: str | None = None

    @property
    def id(self) -> str:
        """The same for the same days, source, channel, campaign and currency: told again, it is told anew."""
        what = (self.first_day, self.last_day, self.currency, self.source, self.channel, self.campaign)
        told = "\x1f".join("" if one is None else str(one) for one in what)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def keep_spends(
    connection: Connection, told: Sequence[Spend], by: str | None, machine_now: datetime
) -> tuple[int, int]:
    """Keep what was paid; how many are new, and how many now hold another amount."""
    new = changed = 0
    for one in {spend.id: spend for spend in told}.values():
        known = connection.execute(select(spends.c.amount).where(spends.c.id == one.id)).scalar_one_or_none()
        days = {"first_day": one.first_day.isoformat(), "last_day": one.last_day.isoformat()}
        row = {**asdict(one), **days, "id": one.id, "by": by, "at": machine_now}
        again = {name: row[name] for name in ("amount", "by", "at")}
        connection.execute(
            insert_into(connection, spends)
            .values(row)
            .on_conflict_do_update(index_elements=["id"], set_=again, where=spends.c.amount != one.amount)
        )
        new, changed = new + (known is None), changed + (known is not None and known != one.amount)
    return new, changed


def list_spends(
    connection: Connection,
    first: date | None = None,
    last: date | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """What was paid for days of that period, by id; `after` is the id of the last one seen."""
    query = select(spends).order_by(spends.c.id).limit(limit)
    if first is not None:
        query = query.where(spends.c.last_day >= first.isoformat())
    if last is not None:
        query = query.where(spends.c.first_day <= last.isoformat())
    if after is not None:
        query = query.where(spends.c.id > after)
    return connection.execute(query).all()


def remove_spend(connection: Connection, spend_id: str) -> bool:
    """Take one away; whether it was there."""
    return connection.execute(delete(spends).where(spends.c.id == spend_id)).rowcount > 0
