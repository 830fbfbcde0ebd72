"""Many leads made after those of the scenarios: who they are, when they enter, and what they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dripline.engine.calendar import at_local, zone_of
from dripline.engine.draw import draw
from dripline.engine.scheduling import comes_to
from dripline.language.plan import EnrollStep, Plan
from dripline.language.project import Project
from dripline.language.workspace import Workspace
from dripline.simulate.life import Life
from dripline.simulate.playing import begin
from dripline.simulate.rates import Rate
from dripline.simulate.recording import ENROLLED
from dripline.simulate.setting import Changes, Enrols, Happening, Happens, Setting, set_up

MOMENT = timedelta(seconds=1)


class NoLeads(Exception):
    """There is no scenario whose lead enters the journey. The message says what to do."""


@dataclass(frozen=True)
class Sample:
    """Something that a scenario's lead does."""

    what: Happens | Changes
    start: datetime
    """When that scenario begins: dates in it are meant from there."""


@dataclass(frozen=True)
class Crowd:
    """Everything that a forecast is reckoned from; the same crowd gives the same forecast."""

    journey: str
    plans: Mapping[str, Plan]
    """The journey, and those that it lets leads into."""
    kinds: tuple[Setting, ...]
    """The scenarios that leads are made after, each as often as another."""
    samples: Mapping[str, tuple[Sample, ...]]
    """By event, what it may say."""
    rates: Mapping[str, Rate]
    count: int
    start: datetime
    over: timedelta
    """The time over which they enter, evenly."""
    until: datetime
    seed: int

    def enters(self, number: int) -> datetime:
        """When the lead of that number enters, counted from 0."""
        return self.start + self.over * (number / self.count)


def gather(
    project: Project, workspace: Workspace, journey: str
) -> tuple[Mapping[str, Plan], tuple[Setting, ...]]:
    """The plans that are concerned, and the scenarios whose lead enters. Raises NoLeads."""
    plans = {name: project.plans[name] for name in together(project.plans, journey)}
    file = project.scenarios.get(journey)
    alone = [one.model_copy(update={"with_": ()}) for one in file.scenarios] if file else []
    settings = [set_up(one, journey, project.plans, workspace) for one in alone]
    kinds = tuple(replace(one, suppressed={}) for one in settings if _gets_in(one))
    if not kinds:
        raise NoLeads(
            f"leads are made after those of the scenarios, and none of {journey}.test.yaml enters the journey:"
            " write one there"
        )
    return plans, kinds


def samples_of(project: Project, workspace: Workspace, journey: str) -> Mapping[str, tuple[Sample, ...]]:
    """What happens in the journey's scenarios; where they lack an event, in those of other journeys."""
    own = _samples(project, workspace, [journey])
    others = _samples(project, workspace, [name for name in project.scenarios if name != journey])
    return {**others, **own}


def lead_of(crowd: Crowd, number: int) -> Setting:
    """The lead of that number: like the lead of a scenario, from the day on which it enters."""
    start = crowd.enters(number)
    lot = draw(str(crowd.seed), "kind", str(number))
    kind = crowd.kinds[int(lot * len(crowd.kinds))]
    plan = crowd.plans[crowd.journey]
    name = f"lead-{number + 1}"
    lead = {**moved(kind.lead, plan.attribute_times, kind.start, start), "id": name, "created_at": start}
    if lead.get("email"):
        lead["email"] = f"{name}@{str(lead['email']).rpartition('@')[2]}"
    if plan.trigger.yearly is not None:
        attribute = plan.trigger.yearly.attribute
        lead[attribute] = _any_day(lead[attribute], draw(str(crowd.seed), "date", str(number)))
    coming = tuple(
        (start, _moved(what, crowd.plans, kind.start, start)) for at, what in kind.coming if at == kind.start
    )
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    return replace(
        kind,
        plans=tuple(crowd.plans.values()),
        lead=lead,
        start=start,
        until=crowd.until,
        where=where,
        coming=coming[:1],
    )


def replayed(
    lead: Mapping[str, Any],
    events: Sequence[tuple[datetime, str, Mapping[str, Any]]],
    plans: Mapping[str, Plan],
    until: datetime,
) -> Setting:
    """A real lead with what really happened to it, oldest first."""
    coming: list[tuple[datetime, Happening]] = []
    for at, name, properties in events:
        if name != ENROLLED:
            coming.append((at, Happens(name, properties)))
        elif properties.get("journey") in plans:
            coming.append((at, Enrols(str(properties["journey"]))))
    plan = next(iter(plans.values()))
    where = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
    return Setting(tuple(plans.values()), lead, events[0][0], until, where, {}, {}, tuple(coming))


def happening(sample: Sample, plans: Mapping[str, Plan], now: datetime) -> Happens | Changes:
    """What the sample says, its dates as far from now as they were from its scenario's start."""
    found = _moved(sample.what, plans, sample.start, now)
    assert not isinstance(found, Enrols)
    return found


def moved(
    values: Mapping[str, Any], times: Mapping[str, str], before: datetime, now: datetime
) -> dict[str, Any]:
    """The values with their dates moved by the days between the two moments."""
    days = timedelta(days=(now.date() - before.date()).days)
    return {name: _later(value, days) if name in times and value else value for name, value in values.items()}


def _moved(what: Happening, plans: Mapping[str, Plan], before: datetime, now: datetime) -> Happening:
    if isinstance(what, Happens):
        times = {
            key: kind for plan in plans.values() for key, kind in plan.event_times.get(what.name, {}).items()
        }
        return Happens(what.name, moved(what.properties, times, before, now))
    return what


def _later(value: Any, days: timedelta) -> Any:
    text = str(value)
    if len(text) == len("2026-01-01"):
        return (date.fromisoformat(text) + days).isoformat()
    return (datetime.fromisoformat(text) + days).isoformat()


def _any_day(value: Any, lot: float) -> str:
    """The same date on another day of the year: birthdays are spread."""
    text = str(value)
    return (date(int(text[:4]), 1, 1) + timedelta(days=int(lot * 365))).isoformat() + text[10:]


def together(plans: Mapping[str, Plan], journey: str) -> list[str]:
    """The journey and those that it lets leads into, however far."""
    found, left = [], [journey]
    while left:
        name = left.pop(0)
        if name not in found and name in plans:
            found.append(name)
            left += [step.journey for step in plans[name].steps if isinstance(step, EnrollStep)]
    return found


def _gets_in(setting: Setting) -> bool:
    plan = setting.plans[0]
    if plan.trigger.yearly is not None:
        return bool(setting.lead.get(plan.trigger.yearly.attribute))
    life: Life = begin(setting)
    gathering = plan.trigger.gathering
    coming = comes_to(gathering, plan, setting.lead, setting.start) if gathering is not None else None
    life.live((coming[0] if coming else setting.start) + MOMENT)
    return bool(life.runs)


def _samples(
    project: Project, workspace: Workspace, journeys: Sequence[str]
) -> dict[str, tuple[Sample, ...]]:
    found: dict[str, list[Sample]] = {}
    for name, sample in _all_samples(project, workspace, journeys):
        found.setdefault(name, []).append(sample)
    return {name: tuple(those) for name, those in found.items()}


def _all_samples(
    project: Project, workspace: Workspace, journeys: Sequence[str]
) -> Iterator[tuple[str, Sample]]:
    for journey in journeys:
        if journey not in project.plans or journey not in project.scenarios:
            continue
        for scenario in project.scenarios[journey].scenarios:
            alone = scenario.model_copy(update={"with_": ()})
            setting = set_up(alone, journey, project.plans, workspace)
            for at, what in setting.coming:
                if isinstance(what, Changes):
                    yield "lead.updated", Sample(what, setting.start)
                elif isinstance(what, Happens) and at > setting.start:
                    yield what.name, Sample(what, setting.start)


def beginning(day: date, where: ZoneInfo) -> datetime:
    """The first moment of a day in that zone, UTC."""
    return at_local(datetime.combine(day, time()), where)
