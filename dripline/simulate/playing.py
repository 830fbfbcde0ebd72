"""Playing a scenario: its lead lives through it, and what happened is compared with what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add, at_local, zone_of
from dripline.language.plan import Duration, Plan
from dripline.language.scenario import LeadOfScenario, Scenario
from dripline.language.workspace import Workspace
from dripline.simulate.comparing import Row, compare
from dripline.simulate.life import Life
from dripline.simulate.seen import seen
from dripline.simulate.timeline import Entry

LEAD = "lead-1"
"""The id of a scenario's lead."""


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

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.trouble and all(row.fine for row in self.rows)


def play(scenario: Scenario, journey: str, plans: Mapping[str, Plan], workspace: Workspace) -> Played:
    """Let the scenario's lead live through its journey (and those `with` it)."""
    life, start, where = begin(scenario, journey, plans, workspace)
    life.live(add(start, watched(scenario, plans[journey]), where))

    def moment(said: Any) -> datetime:
        return _moment(said.after, said.at, start, where)

    rows = compare(scenario.expect, moment, seen(life.timeline), scenario.partial)
    return Played(scenario, tuple(rows), tuple(life.timeline), start, where, tuple(_trouble(life)))


def begin(
    scenario: Scenario, journey: str, plans: Mapping[str, Plan], workspace: Workspace
) -> tuple[Life, datetime, ZoneInfo]:
    """The scenario's life before it is lived, its start (UTC), and the lead's zone."""
    where = zone_of(scenario.lead.timezone, scenario.lead.country, workspace.timezone)
    start = _utc(scenario.start, where)
    lead = {**NOBODY, "created_at": start, **_facts(scenario.lead, workspace, NOBODY)}
    playing = [_in_the_arm(plans[name], scenario.holdout) for name in (journey, *scenario.with_)]
    suppressed: dict[str, str] = {str(channel): why for channel, why in scenario.suppressed.items()}
    answers = {step: typed(said) for step, said in scenario.answers.items()}
    life = Life(playing, lead, start, suppressed, answers)
    _enter(life, scenario, plans[journey], workspace, start)
    for event in scenario.events:
        at = _moment(event.after, event.at, start, where)
        if event.lead is not None:
            life.changes(_facts(event.lead, workspace, life.state.lead), at)
        elif event.event is not None:
            life.happens(event.event, workspace.coerce_event(event.event, event.properties), at)
    return life, start, where


def watched(scenario: Scenario, plan: Plan) -> Duration:
    """How long the scenario's lead is watched: until all is over, or a date comes round for the second time."""
    if scenario.until is not None:
        return scenario.until
    return Duration(months=12) if plan.trigger.yearly else Duration(months=36)


def _in_the_arm(plan: Plan, holdout: bool) -> Plan:
    """The plan with its control group drawn already: chance would tell another story for each journey's name."""
    if not plan.holdout:
        return plan
    return plan.model_copy(update={"holdout": 100.0 if holdout else 0.0})


def _enter(life: Life, scenario: Scenario, plan: Plan, workspace: Workspace, start: datetime) -> None:
    """By the trigger's event or, where there is none, by hand; on its date the lead enters by itself."""
    if plan.trigger.yearly is not None:
        return
    if not plan.trigger.on.events:
        life.enrols(plan.journey, {}, start)
        return
    properties = {name: value for name, value in scenario.trigger.items() if name != "event"}
    event = str(scenario.trigger.get("event", plan.trigger.on.events[0]))
    life.happens(event, workspace.coerce_event(event, properties), start)


NOBODY: Mapping[str, Any] = {
    "id": LEAD,
    "external_id": None,
    "email": None,
    "phone": None,
    "locale": None,
    "timezone": None,
    "country": None,
    "stage": None,
    "score": 0.0,
    "tags": [],
    "owner": None,
    "consent": {},
    "topics": {},
}
"""A lead of whom nothing is known."""


def _facts(lead: LeadOfScenario, workspace: Workspace, before: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of the lead, as conditions see it; consent and topics are laid over those `before`."""
    said = {name: getattr(lead, name) for name in lead.model_fields_set if name in NOBODY}
    if "consent" in said:
        agreed = lead.consent.model_dump(exclude_none=True)
        said["consent"] = {**before["consent"], **agreed}
    if "topics" in said:
        said["topics"] = {**before["topics"], **lead.topics}
    if "tags" in said:
        said["tags"] = list(lead.tags)
    return {**workspace.coerce_attributes(lead.attributes), **said}


def typed(value: Any) -> Any:
    """What was written in YAML, which is read as text, as the JSON that it looks like."""
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    if isinstance(value, str) and re.fullmatch(r"true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?", value):
        return json.loads(value)
    return value


def _moment(after: Duration | None, at: datetime | None, start: datetime, where: ZoneInfo) -> datetime:
    if after is not None:
        return add(start, after, where)
    assert at is not None
    return _utc(at, where)


def _utc(moment: datetime, where: ZoneInfo) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else at_local(moment, where)


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
    if life.cut_short:
        found.append("it went on and on without an end; say `until`, or mend the loop")
    return found
