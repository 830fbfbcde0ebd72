"""Plans by hash, and which of them each journey follows now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dripline.language.plan import Plan
from dripline.store.schema import journeys, plans, publications

_PUBLISHED = select(journeys.c.plan_hash, journeys.c.paused_at).order_by(journeys.c.id)
_CACHE: dict[str, Plan] = {}
_CACHE_SIZE = 512


@dataclass(frozen=True)
class Published:
    """A journey that leads may enter, and the plan that they enter by."""

    plan: Plan
    paused: bool


def load_plan(connection: Connection, plan_hash: str) -> Plan:
    """The plan of that hash. Plans never change, so each is read and parsed once a process."""
    plan = _CACHE.get(plan_hash)
    if plan is None:
        body = connection.execute(select(plans.c.body).where(plans.c.hash == plan_hash)).scalar_one()
        plan = Plan.model_validate(body)
        # A later release may know more fields, and would hash the same plan to another name.
        plan.__dict__["hash"] = plan_hash
        if len(_CACHE) >= _CACHE_SIZE:
            _CACHE.pop(next(iter(_CACHE)), None)
        _CACHE[plan_hash] = plan
    return plan


def publish(connection: Connection, plan: Plan, now: datetime, by: str | None = None) -> bool:
    """Store the plan and let new runs enter by it; False if the journey follows it already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    body = plan.model_dump(mode="json")
    connection.execute(
        dialect.insert(plans)
        .values(hash=plan.hash, journey=plan.journey, body=body, created_at=now)
        .on_conflict_do_nothing()
    )
    current = connection.execute(
        select(journeys.c.plan_hash).where(journeys.c.id == plan.journey)
    ).scalar_one_or_none()
    if current == plan.hash:
        return False
    if current is None:
        connection.execute(insert(journeys).values(id=plan.journey, plan_hash=plan.hash, published_at=now))
    else:
        connection.execute(
            update(journeys)
            .where(journeys.c.id == plan.journey)
            .values(plan_hash=plan.hash, published_at=now)
        )
    connection.execute(
        insert(publications).values(
            journey=plan.journey, plan_hash=plan.hash, at=now, by=by, in_flight="keep"
        )
    )
    return True


def published(connection: Connection) -> list[Published]:
    """Every journey that has been published, by id."""
    rows = connection.execute(_PUBLISHED).all()
    return [Published(load_plan(connection, row.plan_hash), row.paused_at is not None) for row in rows]


def set_paused(connection: Connection, journey: str, at: datetime | None, why: str | None) -> bool:
    """Pause (a time) or resume (None) a journey; False where it is so already. The first pause's reason stays."""
    is_paused = journeys.c.paused_at.is_not(None)
    done = connection.execute(
        update(journeys)
        .where(journeys.c.id == journey, is_paused if at is None else ~is_paused)
        .values(paused_at=at, pause_reason=why)
    )
    return done.rowcount == 1
