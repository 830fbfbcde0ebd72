"""Publications: what each journey was made to follow, by whom and why, and how far its runs have been brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from dripline.language.plan import Plan
from dripline.store.audit import record_act
from dripline.store.budgets import set_budgets
from dripline.store.database import insert_into
from dripline.store.schema import journeys, plans, publications, runs

GRACE = timedelta(minutes=2)
"""How long after a publication a run may still begin by the old plan: longer than any transaction lasts."""


@dataclass(frozen=True)
class Wish:
    """What is to be published, and by whom. `before` is the hash that the wisher has seen (None: nothing)."""

    plan: Plan
    before: str | None
    by: str | None = None
    why: str | None = None
    in_flight: str = "keep"
    what: str = "publish"
    said: Mapping[str, str] | None = None
    """By the ids of steps that were taken out, where their runs go on."""


def begin(connection: Connection, wish: Wish, now: datetime, machine_now: datetime) -> int | None:
    """Let the journey follow the plan from now on; the publication's number. Its runs are moved afterwards.

    None, and nothing is changed, where the journey follows another plan by now than the wisher has seen.
    """
    plan = wish.plan
    connection.execute(
        insert_into(connection, plans)
        .values(hash=plan.hash, journey=plan.journey, body=plan.model_dump(mode="json"), created_at=now)
        .on_conflict_do_nothing()
    )
    values = {
        "plan_hash": plan.hash,
        "published_at": now,
        "retired_at": now if wish.what == "retire" else None,
    }
    if wish.before is None:
        first = insert_into(connection, journeys).values(id=plan.journey, **values).on_conflict_do_nothing()
        done = connection.execute(first.returning(journeys.c.id)).one_or_none() is not None
    else:
        same = (journeys.c.id == plan.journey) & (journeys.c.plan_hash == wish.before)
        done = connection.execute(update(journeys).where(same).values(values)).rowcount == 1
    if not done:
        return None
    set_budgets(connection, plan.budgets)
    _settle_earlier(connection, plan.journey, machine_now)
    return _record(connection, wish, now, machine_now)


def _settle_earlier(connection: Connection, journey: str, machine_now: datetime) -> None:
    """What an earlier publication has not finished is this one's now."""
    connection.execute(
        update(publications)
        .where(publications.c.journey == journey, publications.c.settled_at.is_(None))
        .values(settled_at=machine_now)
    )


def _record(connection: Connection, wish: Wish, now: datetime, machine_now: datetime) -> int:
    row = {
        "journey": wish.plan.journey,
        "plan_hash": wish.plan.hash,
        "at": now,
        "by": wish.by,
        "in_flight": wish.in_flight,
        "what": wish.what,
        "why": wish.why,
        "detail": {"map": dict(wish.said)} if wish.said else {},
        "settled_at": machine_now if wish.in_flight == "keep" else None,
    }
    made = connection.execute(publications.insert().values(row).returning(publications.c.id))
    number: int = made.scalar_one()
    journey = {"journey": wish.plan.journey, "plan": wish.plan.hash[:12], "in_flight": wish.in_flight}
    record_act(connection, wish.what, wish.by, wish.why, machine_now, publication=number, **journey)
    return number


def open_publications(connection: Connection) -> list[Row[Any]]:
    """The publications of which a run may not have been moved (or ended) yet, oldest first."""
    query = select(publications).where(
        publications.c.settled_at.is_(None), publications.c.in_flight.in_(("move", "exit"))
    )
    return list(connection.execute(query.order_by(publications.c.id)))


def find_publication(connection: Connection, number: int) -> Row[Any] | None:
    """The publication of that number."""
    return connection.execute(select(publications).where(publications.c.id == number)).one_or_none()


def is_settled(connection: Connection, number: int) -> bool:
    """Whether nothing is left to do for the publication: all was done, or the next one has come."""
    query = select(publications.c.settled_at).where(publications.c.id == number)
    return connection.execute(query).scalar_one_or_none() is not None


def runs_to_bring(
    connection: Connection, journey: str, plan_hash: str, after: str | None, limit: int
) -> list[str]:
    """Ids of open runs of the journey that follow another plan, in their order after `after`."""
    query = (
        select(runs.c.id)
        .where(
            runs.c.journey == journey,
            runs.c.ended_at.is_(None),
            runs.c.plan_hash != plan_hash,
            runs.c.id > (after or ""),
        )
        .order_by(runs.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def runs_to_end(connection: Connection, journey: str, after: str | None, limit: int) -> list[str]:
    """Ids of all open runs of a journey that was taken out, in their order after `after`."""
    query = select(runs.c.id).where(
        runs.c.journey == journey, runs.c.ended_at.is_(None), runs.c.id > (after or "")
    )
    return list(connection.execute(query.order_by(runs.c.id).limit(limit)).scalars())


def reach(connection: Connection, number: int, run: str) -> None:
    """All runs up to that one have been looked at."""
    connection.execute(update(publications).where(publications.c.id == number).values(reached=run))


def passed(connection: Connection, number: int, machine_now: datetime) -> None:
    """All runs have been looked at. After a grace for those that began meanwhile, once more; then it is settled."""
    row = find_publication(connection, number)
    if row is None:
        return
    settled = row.passed_at is not None and machine_now - row.passed_at > GRACE
    values = {"settled_at": machine_now} if settled else {"passed_at": row.passed_at or machine_now}
    connection.execute(update(publications).where(publications.c.id == number).values(reached=None, **values))


@dataclass(frozen=True)
class Followed:
    """A journey that was published, and the plan that it follows."""

    journey: str
    plan_hash: str
    published_at: datetime
    paused_at: datetime | None
    retired_at: datetime | None
    moving: bool
    """Whether its runs are being moved or ended."""
    runs: Mapping[str, int]
    """Its open runs, by the plan that they follow."""


def followed(connection: Connection, journey: str | None = None) -> list[Followed]:
    """Every journey that was ever published, by id; those that were taken out too."""
    counts: dict[str, dict[str, int]] = {}
    counting = select(runs.c.journey, runs.c.plan_hash, func.count().label("number")).where(
        runs.c.ended_at.is_(None)
    )
    for row in connection.execute(counting.group_by(runs.c.journey, runs.c.plan_hash)):
        counts.setdefault(row.journey, {})[row.plan_hash] = row.number
    moving = {row.journey for row in open_publications(connection) if row.passed_at is None}
    query = select(journeys).order_by(journeys.c.id)
    if journey is not None:
        query = query.where(journeys.c.id == journey)
    return [
        Followed(
            row.id,
            row.plan_hash,
            row.published_at,
            row.paused_at,
            row.retired_at,
            row.id in moving,
            counts.get(row.id, {}),
        )
        for row in connection.execute(query)
    ]


def history(connection: Connection, journey: str) -> list[Row[Any]]:
    """The publications of a journey, the newest first."""
    query = select(publications).where(publications.c.journey == journey).order_by(publications.c.id.desc())
    return list(connection.execute(query))


def rolled_back_from(connection: Connection, journey: str, plan_hash: str) -> bool:
    """Whether the journey was rolled back last of all, at once or step by step, from that plan to another."""
    before = history(connection, journey)
    steps = list(takewhile(lambda row: row.what == "rollback", before))
    left = {row.plan_hash for row in before[1 : len(steps) + 1]}
    return bool(steps) and plan_hash in left - {steps[0].plan_hash}
