"""Temporal's schedules for the journeys that begin by the calendar: each makes somebody look when it may be time.

Whether it is time the store says, by the house's clock. So a schedule here may come round too often, and does where
Temporal cannot say what a journey does; the sweep looks as well.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError

from dripline.engine.scheduling import FIRST_ZONE, LATE, said
from dripline.language.plan import Gathering
from dripline.language.plan import Schedule as Calendar
from dripline.store.database import Store
from dripline.store.plans import published
from dripline.wire import JOURNEYS

PREFIX = "occasion/"
"""What the ids of these schedules begin with; the journey's follows."""


class Timetable:
    """Keeps Temporal's schedules as the published journeys say."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store = store
        self._client = client
        self._kept: dict[str, str] | None = None

    def forget(self) -> None:
        """This Temporal knows nothing of us: make everything anew."""
        self._kept = None

    def wanted(self) -> dict[str, tuple[str, ScheduleSpec]]:
        """By journey, what its schedule says, and how Temporal is told."""
        with self._store.read() as connection:
            return {name: (words, spec) for name, words, spec in _all(connection)}

    async def keep(self, wanted: dict[str, tuple[str, ScheduleSpec]]) -> None:
        """Make, change and delete what is not as it should be."""
        if self._kept is None:
            self._kept = {}
            if wanted:
                self._kept = dict.fromkeys(await self._there(), "")
        for journey in self._kept.keys() - wanted.keys():
            await self._delete(journey)
            del self._kept[journey]
        for journey, (words, spec) in wanted.items():
            if self._kept.get(journey) != words:
                await self._make(journey, spec)
                self._kept[journey] = words

    async def _there(self) -> list[str]:
        found = await self._client.list_schedules()
        return [one.id.removeprefix(PREFIX) async for one in found if one.id.startswith(PREFIX)]

    async def _make(self, journey: str, spec: ScheduleSpec) -> None:
        name = f"{PREFIX}{journey}"
        schedule = Schedule(
            action=ScheduleActionStartWorkflow("Occasion", id=name, task_queue=JOURNEYS),
            spec=spec,
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=LATE),
        )
        try:
            await self._client.create_schedule(name, schedule)
        except ScheduleAlreadyRunningError:
            await self._client.get_schedule_handle(name).update(lambda _found: ScheduleUpdate(schedule))

    async def _delete(self, journey: str) -> None:
        try:
            await self._client.get_schedule_handle(f"{PREFIX}{journey}").delete()
        except RPCError as problem:
            if problem.status.name != "NOT_FOUND":
                raise


def _all(connection: Connection) -> list[tuple[str, str, ScheduleSpec]]:
    found = []
    for one in published(connection):
        gathering = one.plan.trigger.gathering
        if gathering is not None:
            spec = spec_of(gathering, one.plan.timezone)
            found.append((one.plan.journey, said(one.plan, gathering), spec))
    return found


def spec_of(gathering: Gathering, timezone: str) -> ScheduleSpec:
    """When to look: whenever it comes round, and some times more where Temporal has no words for it."""
    where = FIRST_ZONE if gathering.own_zone else timezone
    calendar = gathering.schedule
    if calendar.cron is not None:
        return ScheduleSpec(cron_expressions=[calendar.cron], time_zone_name=where, jitter=timedelta())
    return ScheduleSpec(calendars=[_calendar(calendar)], time_zone_name=where)


def _calendar(calendar: Calendar) -> ScheduleCalendarSpec:
    if calendar.once is not None:
        day, _, time = calendar.once.partition("T")
        year, month, date = (_only(int(part)) for part in day.split("-"))
        hour, minute = (_only(int(part)) for part in time.split(":"))
        return ScheduleCalendarSpec(year=year, month=month, day_of_month=date, hour=hour, minute=minute)
    hour, minute = (_only(number) for number in divmod(calendar.at, 60))
    if calendar.unit == "week":
        days = [ScheduleRange((day + 1) % 7) for day in calendar.weekdays]  # Temporal's week begins on Sunday
        return ScheduleCalendarSpec(day_of_week=days, hour=hour, minute=minute)
    if calendar.unit == "month":
        days = [ScheduleRange(min(28, calendar.day), calendar.day)]
        return ScheduleCalendarSpec(day_of_month=days, hour=hour, minute=minute)
    return ScheduleCalendarSpec(hour=hour, minute=minute)


def _only(number: int) -> list[ScheduleRange]:
    return [ScheduleRange(number)]


__all__ = ["PREFIX", "Timetable", "spec_of"]
