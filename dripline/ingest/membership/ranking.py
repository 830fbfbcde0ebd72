"""The ranking of leads by what they bought: reckoned once a day, written where it changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update

from dripline.engine.calendar import zone
from dripline.engine.rfm import Purchases, as_told, ranked
from dripline.engine.segments import back
from dripline.ingest.membership.orders import not_refunded
from dripline.language.membership import RfmRule
from dripline.language.money import to_major
from dripline.store.database import Store
from dripline.store.schema import leads, orders

BATCH = 200
"""Leads that are written in one transaction."""

_WRITE = (
    update(leads).where(leads.c.id == bindparam("lead")).values(rfm=bindparam("said", type_=leads.c.rfm.type))
)


@dataclass(frozen=True)
class Ranking:
    """Every lead whose rank is another now, with what it is; None: it has bought nothing that counts."""

    changed: Mapping[str, Mapping[str, Any] | None]
    buyers: int


def rank(
    connection: Connection, rule: RfmRule, timezone: str, currency: str | None, now: datetime
) -> Ranking:
    """Rank everybody who bought. What was paid in other currencies than the workspace's counts as no money."""
    buyers = purchases(connection, rule, timezone, currency, now)
    ranks = ranked(buyers, rule.nested)
    told = {one.lead: as_told(one, ranks[one.lead], _major(one.spent, currency)) for one in buyers}
    query = select(leads.c.id, leads.c.rfm).where(leads.c.rfm.is_not(None))
    had = {row.id: row.rfm for row in connection.execute(query) if row.rfm is not None}
    changed: dict[str, Mapping[str, Any] | None] = {
        lead: said for lead, said in told.items() if had.get(lead) != said
    }
    changed |= dict.fromkeys(had.keys() - told.keys())
    return Ranking(changed, len(buyers))


def purchases(
    connection: Connection, rule: RfmRule, timezone: str, currency: str | None, now: datetime
) -> list[Purchases]:
    """What each lead bought, in the order of their ids. Merged and erased leads buy nothing."""
    where = zone(timezone)
    paid = func.sum(case((orders.c.currency == currency, orders.c.total - orders.c.refunded), else_=0))
    query = (
        select(orders.c.lead_id, func.max(orders.c.at).label("last"), func.count().label("number"), paid)
        .join(leads, leads.c.id == orders.c.lead_id)
        .where(leads.c.merged_into.is_(None), leads.c.erased_at.is_(None), not_refunded(), orders.c.at <= now)
        .group_by(orders.c.lead_id)
        .order_by(orders.c.lead_id)
    )
    since = back(now, rule.within, where)
    if since is not None:
        query = query.where(orders.c.at > since)
    return [
        Purchases(row[0], row[1].astimezone(where).date(), row[2], int(row[3]))
        for row in connection.execute(query)
    ]


def write_ranks(store: Store, ranking: Ranking, give_up: float) -> Iterator[Sequence[str]]:
    """Write what changed, in bounded transactions, until `give_up` (monotonic); each time who was written.

    Leads that somebody else has locked are left to the next ranking.
    """
    todo = sorted(ranking.changed)
    for start in range(0, len(todo), BATCH):
        if time.monotonic() > give_up:
            return
        some = todo[start : start + BATCH]
        with store.write() as connection:
            free = select(leads.c.id).where(
                leads.c.id.in_(some), leads.c.merged_into.is_(None), leads.c.erased_at.is_(None)
            )
            taken = connection.execute(free.order_by(leads.c.id).with_for_update(skip_locked=True)).scalars()
            written = list(taken)
            if written:
                said = [{"lead": lead_id, "said": ranking.changed[lead_id]} for lead_id in written]
                connection.execute(_WRITE, said)
        yield written


def _major(spent: int, currency: str | None) -> int | float:
    return to_major(spent, currency) if currency else 0


__all__ = ["Ranking", "purchases", "rank", "write_ranks"]
