"""Journeys that begin by the calendar: whenever their schedule comes round, a campaign lets their audience in.

The store says when it comes round next, and keeps one campaign an occasion: looking twice changes nothing, and it
does not matter who looks. Temporal's schedules make that somebody looks in time (see the waker), and the sweep does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row, func, select, update

from dripline.clock import MachineClock, machine_clock
from dripline.engine.calendar import zone
from dripline.engine.scheduling import FIRST_ZONE, LATE, come_round, on_clock, said
from dripline.language.plan import Gathering, Plan
from dripline.store.campaigns import add_campaign
from dripline.store.database import Store, insert_into
from dripline.store.house import open_house
from dripline.store.plans import published
from dripline.store.schema import publications, schedules

LAST_ZONE = "Etc/GMT+12"
"""Where clocks are behind all others."""
BETWEEN_ZONES = timedelta(hours=26)
"""From when the first clocks say something until the last ones do."""


@dataclass
class Occasions:
    """Starts a campaign for each schedule that has come round."""

    store: Store
    clock: MachineClock = machine_clock

    def start_due(self) -> int:
        """One look at every such journey; how many campaigns were started."""
        with self.store.read() as connection:
            plans = _gathered(connection)
            if not plans:
                return 0
            known = {row.journey: row for row in connection.execute(select(schedules))}
            now = open_house(connection).clock.to_house(self.clock())
        waiting = [plan for plan, gathering in plans if _wants(known.get(plan.journey), plan, gathering, now)]
        number = 0
        for plan in waiting:
            while (started := self._start(plan.journey)) is not None:
                number += started
        return number

    def _start(self, journey: str) -> bool | None:
        """Start the campaign of its next occasion, unless that is too long ago; None where none has come."""
        with self.store.write() as connection:
            one = next((one for one in _gathered(connection) if one[0].journey == journey), None)
            if one is None:
                return None
            plan, gathering = one
            machine_now = self.clock()
            now = open_house(connection).clock.to_house(machine_now)
            row = _followed(connection, plan, gathering, now)
            if row.next_at is None or row.next_at > now:
                return None
            at, name = row.next_at, row.next_name
            coming = _next(plan, gathering, at)
            while coming is not None and _is_past(
                gathering, *coming, now
            ):  # of several missed the last counts
                at, name = coming
                coming = _next(plan, gathering, at)
            _keep(connection, journey, coming)
            late = now - at > LATE + (BETWEEN_ZONES if gathering.own_zone else timedelta())
            return not late and add_campaign(
                connection, _campaign(plan, gathering, name, row.since, now, machine_now)
            )


def _gathered(connection: Connection) -> list[tuple[Plan, Gathering]]:
    plans = [one.plan for one in published(connection) if not one.paused]
    return [(plan, plan.trigger.gathering) for plan in plans if plan.trigger.gathering is not None]


def _wants(row: Row[Any] | None, plan: Plan, gathering: Gathering, now: datetime) -> bool:
    """Whether there is anything to do for it."""
    if row is None or row.said != said(plan, gathering):
        return True
    return row.next_at is not None and row.next_at <= now


def _followed(connection: Connection, plan: Plan, gathering: Gathering, now: datetime) -> Row[Any]:
    """The journey's schedule, begun anew where it is another than before: what was before it was published is past."""
    query = select(schedules).where(schedules.c.journey == plan.journey).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is not None and row.said == said(plan, gathering):
        return row
    newest = select(func.max(publications.c.at)).where(publications.c.journey == plan.journey)
    since = (connection.execute(newest).scalar_one_or_none() or now) - timedelta(microseconds=1)
    coming = _next(plan, gathering, since - BETWEEN_ZONES if gathering.own_zone else since)
    at, name = coming or (None, None)
    values = {
        "journey": plan.journey,
        "said": said(plan, gathering),
        "since": since,
        "next_at": at,
        "next_name": name,
    }
    statement = insert_into(connection, schedules).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["journey"], set_=values))
    return connection.execute(query).one()


def _next(plan: Plan, gathering: Gathering, after: datetime) -> tuple[datetime, str] | None:
    """When it comes round next; for leads' own clocks, where the first of them do."""
    where = zone(FIRST_ZONE if gathering.own_zone else plan.timezone)
    return come_round(gathering.schedule, after, where)


def _is_past(gathering: Gathering, at: datetime, name: str, now: datetime) -> bool:
    """Whether it has come round for everybody."""
    return (on_clock(name, zone(LAST_ZONE)) if gathering.own_zone else at) <= now


def _keep(connection: Connection, journey: str, coming: tuple[datetime, str] | None) -> None:
    at, name = coming or (None, None)
    values = {"next_at": at, "next_name": name}
    connection.execute(update(schedules).where(schedules.c.journey == journey).values(values))


def _campaign(
    plan: Plan, gathering: Gathering, name: str, since: datetime, now: datetime, machine_now: datetime
) -> dict[str, Any]:
    return {
        "id": str(uuid_utils.uuid7()),
        "name": f"{plan.journey} {name.replace('T', ' ')}",
        "journey": plan.journey,
        "audience": gathering.audience,
        "state": "running",
        "occasion": name,
        "own_zone": gathering.own_zone,
        "per_hour": gathering.per_hour,
        "created_at": now,
        "created_by": "schedule",
        "since": since,
        "look_at": now,
        "places": 1.0,
        "moved_at": machine_now,
    }
