"""Journeys that the lead enters by the calendar, in the made-up world: on its date, or as one of an audience."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.calendar import zone_of
from dripline.engine.scheduling import comes_to
from dripline.engine.yearly import moment
from dripline.language.plan import Gathering, Plan, Yearly
from dripline.simulate.recording import Recording
from dripline.simulate.state import State


class Dates:
    """When the lead's dates come round, and the runs that they begin."""

    def __init__(self, state: State, recording: Recording) -> None:
        self._state = state
        self._recording = recording
        self._yearly = [
            (plan, plan.trigger.yearly)
            for _, plan in sorted(state.plans.items())
            if plan.trigger.yearly is not None
        ]
        self._gathered = [
            (plan, plan.trigger.gathering)
            for _, plan in sorted(state.plans.items())
            if plan.trigger.gathering is not None
        ]
        self._since = state.now - timedelta(microseconds=1)

    def next(self) -> datetime | None:
        """The next moment at which one comes round."""
        moments = [at for _, at, _ in self._coming()]
        return min(moments + [at for _, _, at in self._occasions()], default=None)

    def enter_due(self) -> None:
        """Let the lead enter where its date has come."""
        due = [(at, plan, year) for plan, at, year in self._coming() if at <= self._state.now]
        gathered = [one for one in self._occasions() if one[2] <= self._state.now]
        self._since = max(self._since, self._state.now)
        for at, plan, year in sorted(due, key=lambda one: one[0]):
            self._recording.enter_on_date(plan, str(year), at)
        for plan, gathering, at in sorted(gathered, key=lambda one: one[2]):
            self._recording.enter_gathered(plan, gathering, at)

    def _occasions(self) -> list[tuple[Plan, Gathering, datetime]]:
        """When schedules come round next for journeys that the lead may still enter."""
        found = []
        for plan, gathering in self._gathered:
            if plan.trigger.reentry == "never" and self._recording.has_entered(plan):
                continue
            coming = comes_to(gathering, plan, self._state.lead, self._since)
            if coming is not None:
                found.append((plan, gathering, coming[0]))
        return found

    def _coming(self) -> list[tuple[Plan, datetime, int]]:
        found = []
        for plan, yearly in self._yearly:
            coming = comes_round(plan, yearly, self._state.lead, self._since)
            if coming is not None:
                found.append((plan, *coming))
        return found


def comes_round(
    plan: Plan, yearly: Yearly, lead: Mapping[str, Any], since: datetime
) -> tuple[datetime, int] | None:
    """When the lead's date comes round next after `since`, and for which year; None where it never does."""
    value = lead.get(yearly.attribute)
    if not value:
        return None
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    for year in range(since.year - 2, since.year + 4):
        at = moment(yearly, str(value), year, where)
        if at is not None and at > since:
            return at, year
    return None
