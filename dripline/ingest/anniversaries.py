"""Journeys that leads enter on a date of theirs, each year: who is due, found in bounded batches.

The year is the run's key, so that looking twice changes nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from dripline.clock import MachineClock, machine_clock
from dripline.engine.calendar import zone_of
from dripline.engine.yearly import days_between, moment
from dripline.ingest.entering import begin, let_through
from dripline.language.plan import Plan, Yearly
from dripline.store.database import Store, lock_lead
from dripline.store.events import in_order
from dripline.store.house import open_house
from dripline.store.plans import published
from dripline.store.schema import journeys, leads, publications, runs

BATCH = 200
"""Leads that are looked at in one transaction."""
BUDGET = 5.0
"""Seconds after which the rest is left to the next look."""
LATE = timedelta(days=2)
"""How long after its moment a date still counts, after an outage (house time)."""
LATE_BY_MACHINE = timedelta(hours=1)
"""The same in machine time, where house time runs fast."""


@dataclass
class Anniversaries:
    """Lets leads enter on their dates. One object goes on where its last look ended."""

    store: Store
    clock: MachineClock = machine_clock
    budget: float = BUDGET
    _reached: dict[str, str] = field(default_factory=dict)

    def enter(self) -> int:
        """One look at every journey of this kind; how many runs were started."""
        give_up = time.monotonic() + self.budget
        with self.store.read() as connection:
            plans = [one.plan for one in published(connection) if one.plan.trigger.yearly and not one.paused]
        return sum(self.enter_by(plan, plan.trigger.yearly, give_up) for plan in plans if plan.trigger.yearly)

    def enter_by(self, plan: Plan, yearly: Yearly, give_up: float = math.inf) -> int:
        """The same for one journey, by the plan that it was seen to follow."""
        started = 0
        while True:
            with self.store.write() as connection:
                after = self._reached.get(plan.journey, "")
                machine_now = self.clock()
                since, now = _window(connection, plan, machine_now)
                batch = _candidates(connection, yearly, days_between(yearly, since, now), after)
                due = _due(connection, plan, yearly, batch, since, now)
                started += sum(
                    _start(connection, plan, lead_id, year, now, machine_now) for lead_id, year in due
                )
            if len(batch) < BATCH:
                self._reached.pop(plan.journey, None)
                return started
            self._reached[plan.journey] = batch[-1].id
            if time.monotonic() > give_up:
                return started


def _window(connection: Connection, plan: Plan, machine_now: datetime) -> tuple[datetime, datetime]:
    """From when to when (house time) dates count: not those before the journey was there."""
    clock = open_house(connection).clock
    now = clock.to_house(machine_now)
    since = min(now - LATE, clock.to_house(machine_now - LATE_BY_MACHINE))
    first = connection.execute(
        select(func.min(publications.c.at)).where(publications.c.journey == plan.journey)
    ).scalar_one_or_none()
    return max(since, first) if first else since, now


def _candidates(
    connection: Connection, yearly: Yearly, days: frozenset[str] | None, after: str
) -> Sequence[Row[Any]]:
    """Leads whose date may come round in these days, and some more, in the order of their ids."""
    value = leads.c.attributes[yearly.attribute].as_string()
    query = (
        select(leads.c.id, leads.c.timezone, leads.c.country, value.label("value"))
        .where(leads.c.id > after, leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
        .where(value.is_not(None) if days is None else func.substr(value, 6, 5).in_(sorted(days)))
        .order_by(leads.c.id)
        .limit(BATCH)
    )
    return connection.execute(query).all()


def _due(
    connection: Connection,
    plan: Plan,
    yearly: Yearly,
    batch: Sequence[Row[Any]],
    since: datetime,
    now: datetime,
) -> Iterator[tuple[str, int]]:
    """Who is due, and for which year, less those who have entered for it."""
    found: list[tuple[str, int]] = []
    for lead in batch:
        where = zone_of(lead.timezone, lead.country, plan.timezone)
        for year in range(now.year + 2, since.year - 3, -1):
            at = moment(yearly, str(lead.value), year, where) if lead.value else None
            if at is not None and since < at <= now:
                found.append((lead.id, year))
                break
    rows = connection.execute(
        select(runs.c.lead_id, runs.c.key).where(
            runs.c.journey == plan.journey, runs.c.lead_id.in_([lead_id for lead_id, _ in found])
        )
    )
    entered = {(row.lead_id, row.key) for row in rows}
    return (one for one in found if (one[0], str(one[1])) not in entered)


def _start(
    connection: Connection, plan: Plan, lead_id: str, year: int, now: datetime, machine_now: datetime
) -> bool:
    """Let the lead in for that year, unless it is in already, or the journey's condition keeps it out."""
    lead = lock_lead(connection, lead_id)
    key = str(year)
    in_already = connection.execute(
        select(runs.c.id)
        .where(runs.c.lead_id == lead_id, runs.c.journey == plan.journey, runs.c.key == key)
        .limit(1)
    ).one_or_none()
    if lead is None or lead.merged_into or lead.erased_at or in_already or not _is_open(connection, plan):
        return False
    at = in_order(connection, lead_id, now)
    if not let_through(plan, lead, None, at):
        return False
    begin(connection, lead_id, plan, at, machine_now, key)
    return True


def _is_open(connection: Connection, plan: Plan) -> bool:
    """Whether leads enter by that plan now: the look may have begun before a pause or a publication."""
    query = select(journeys.c.id).where(
        journeys.c.id == plan.journey,
        journeys.c.plan_hash == plan.hash,
        journeys.c.paused_at.is_(None),
        journeys.c.retired_at.is_(None),
    )
    return connection.execute(query).one_or_none() is not None
