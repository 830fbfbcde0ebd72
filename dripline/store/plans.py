"""Plans by hash, and which of them each journey follows now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from dripline.language.plan import Plan
from dripline.store.house import open_house
from dripline.store.publications import Wish, begin
from dripline.store.schema import journeys, plans

_PUBLISHED = (
    select(journeys.c.plan_hash, journeys.c.paused_at)
    .where(journeys.c.retired_at.is_(None))
    .order_by(journeys.c.id)
)
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
    """Let new runs enter by the plan, and those that are open keep theirs; False if the journey follows it already."""
    query = select(journeys.c.plan_hash, journeys.c.retired_at).where(journeys.c.id == plan.journey)
    row = connection.execute(query).one_or_none()
    if row is not None and row.plan_hash == plan.hash and row.retired_at is None:
        return False
    machine_now = open_house(connection).clock.to_machine(now)
    return begin(connection, Wish(plan, row.plan_hash if row else None, by), now, machine_now) is not None


def published(connection: Connection) -> list[Published]:
    """Every journey that has been published and not taken out, by id."""
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
