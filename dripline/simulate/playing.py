"""Playing a scenario: its lead lives through it, and what happened is compared with what was expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from dripline.language.plan import Plan
from dripline.language.scenario import Scenario
from dripline.language.workspace import Workspace
from dripline.simulate.comparing import Row, compare
from dripline.simulate.life import Life
from dripline.simulate.seen import seen
from dripline.simulate.setting import Changes, Enrols, Happens, Setting, set_up
from dripline.simulate.state import Run
from dripline.simulate.timeline import Entry
from dripline.simulate.world import Writing, written


@dataclass(frozen=True)
class Played:
    """What became of a scenario."""

    scenario: Scenario
    rows: tuple[Row, ...]
    timeline: tuple[Entry, ...]
    start: datetime
    where: ZoneInfo
    trouble: tuple[str, ...] = ()
    """What went wrong that nobody can expect: a run that stopped for a person, a loop without an end."""
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """The journeys that were played, by id."""

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.trouble and all(row.fine for row in self.rows)


def play(scenario: Scenario, journey: str, plans: Mapping[str, Plan], workspace: Workspace) -> Played:
    """Let the scenario's lead live through its journey (and those `with` it)."""
    setting = set_up(scenario, journey, plans, workspace)
    life = begin(setting)
    life.live(setting.until)
    return judge(scenario, setting, life.timeline, _trouble(life))


def judge(scenario: Scenario, setting: Setting, timeline: Sequence[Entry], trouble: Sequence[str]) -> Played:
    """What happened beside what was expected."""
    rows = compare(
        scenario.expect,
        lambda expected: setting.moment(expected.after, expected.at),
        seen(list(timeline)),
        scenario.partial,
    )
    plans = {plan.journey: plan for plan in setting.plans}
    return Played(scenario, tuple(rows), tuple(timeline), setting.start, setting.where, tuple(trouble), plans)


def begin(
    setting: Setting,
    rested: Callable[[Run], None] | None = None,
    slots: dict[str, datetime] | None = None,
    write: Writing = written,
) -> Life:
    """The scenario's life before it is lived; the rest is for lives among others (see Life)."""
    life = Life(
        setting.plans,
        setting.lead,
        setting.start,
        setting.suppressed,
        setting.answers,
        scoring=setting.scoring,
        slots=slots,
        write=write,
        rested=rested,
        rules=setting.rules,
        products=setting.products,
        bought=setting.bought,
    )
    for at, what in setting.coming:
        match what:
            case Happens(name, properties):
                life.happens(name, properties, at)
            case Changes(values):
                life.changes(values, at)
            case Enrols(journey):
                life.enrols(journey, {}, at)
    return life


def _trouble(life: Life) -> list[str]:
    found = [
        f"{run.plan.journey} stopped at {run.state.step} for a person to look at: {run.parked}"
        for run in life.runs
        if run.parked is not None
    ]
    found += [
        f"{entry.journey}: {entry.what.replace('-', ' ')}: {entry.detail.get('reason')}"
        for entry in life.timeline
        if entry.what in ("filter-failed", "trigger-failed")
    ]
    found += [str(entry.detail["reason"]) for entry in life.timeline if entry.what == "no-such-letter"]
    if life.cut_short:
        found.append("it went on and on without an end; say `until`, or mend the loop")
    return found
