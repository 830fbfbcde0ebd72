"""What a scenario says, made exact: its lead, its journeys, and when what happens to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add, at_local, zone_of
from dripline.engine.recommending import Product
from dripline.engine.topics import changed
from dripline.language.compile_scoring import compile_scoring
from dripline.language.plan import Duration, Plan
from dripline.language.rules import Rules, compile_rules
from dripline.language.scenario import Circumstances, LeadOfScenario
from dripline.language.scoring import Scoring
from dripline.language.touches import TOUCHES
from dripline.language.workspace import Workspace
from dripline.simulate.products import products_of

LEAD = "lead-1"
"""The id of a scenario's lead."""


@dataclass(frozen=True)
class Happens:
    """An event; its properties are coerced already."""

    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """The lead becomes different: its fields and attributes, as conditions see them; consent and topics are laid
    over what was there."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Enrols:
    """The lead is put into a journey by hand."""

    journey: str


Happening = Happens | Changes | Enrols


@dataclass(frozen=True)
class Setting:
    """Everything that is there before a scenario begins, and all that will come from outside."""

    plans: tuple[Plan, ...]
    """The journey itself, and those with it."""
    lead: Mapping[str, Any]
    """As conditions see it."""
    start: datetime
    until: datetime
    where: ZoneInfo
    """The lead's zone."""
    suppressed: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Any]]
    coming: tuple[tuple[datetime, Happening], ...]
    """In the order in which it was written."""
    scoring: Scoring | None = None
    """The rules by which the lead is scored; None: it is not."""
    rules: Rules = field(default_factory=Rules)
    """What the workspace says that follows from events."""
    products: Mapping[str, Product] = field(default_factory=dict)
    """The catalogue."""
    bought: tuple[str, ...] = ()
    """What the lead bought before."""

    def moment(self, after: Duration | None, at: datetime | None) -> datetime:
        """When that is that is said `after` the start, or `at` a time in the lead's zone."""
        return _moment(after, at, self.start, self.where)


def set_up(scenario: Circumstances, journey: str, plans: Mapping[str, Plan], workspace: Workspace) -> Setting:
    """What the scenario says of the journey."""
    where = zone_of(scenario.lead.timezone, scenario.lead.country, workspace.timezone)
    start = _utc(scenario.start, where)
    plan = plans[journey]
    coming = _entrance(scenario, plan, workspace, start)
    for event in scenario.events:
        at = _moment(event.after, event.at, start, where)
        if event.lead is not None:
            coming.append((at, Changes(_facts(event.lead, workspace, where, at))))
        elif event.event is not None:
            properties = workspace.coerce_event(event.event, event.properties)
            coming.append((at, Happens(event.event, properties)))
    facts = _facts(scenario.lead, workspace, where, start)
    return Setting(
        plans=tuple(_in_the_arm(plans[name], scenario.holdout) for name in (journey, *scenario.with_)),
        lead={**NOBODY, "created_at": start, **facts, "topics": changed({}, facts.get("topics", {}))},
        start=start,
        until=add(start, _watched(scenario, plan), where),
        where=where,
        suppressed={str(channel): why for channel, why in scenario.suppressed.items()},
        answers={step: typed(said) for step, said in scenario.answers.items()},
        coming=tuple(coming),
        scoring=compile_scoring(workspace),
        rules=compile_rules(workspace),
        products=products_of(workspace),
        bought=scenario.bought,
    )


def _entrance(
    scenario: Circumstances, plan: Plan, workspace: Workspace, start: datetime
) -> list[tuple[datetime, Happening]]:
    """By the trigger's event or, where there is none, by hand; by the calendar the lead enters by itself."""
    if plan.trigger.yearly is not None or plan.trigger.gathering is not None:
        return []
    if not plan.trigger.on.events:
        return [(start, Enrols(plan.journey))]
    properties = {name: value for name, value in scenario.trigger.items() if name != "event"}
    event = str(scenario.trigger.get("event", plan.trigger.on.events[0]))
    return [(start, Happens(event, workspace.coerce_event(event, properties)))]


def _watched(scenario: Circumstances, plan: Plan) -> Duration:
    """How long: until all is over, or a date comes round for the second time; a year of what comes round oftener."""
    if scenario.until is not None:
        return scenario.until
    by_calendar = plan.trigger.yearly is not None or plan.trigger.gathering is not None
    return Duration(months=12) if by_calendar else Duration(months=36)


def _in_the_arm(plan: Plan, holdout: bool) -> Plan:
    """The plan with its control group drawn already: chance would tell another story for each journey's name."""
    if not plan.holdout:
        return plan
    return plan.model_copy(update={"holdout": 100.0 if holdout else 0.0})


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
    "grade": None,
    "warmth": None,
    "tags": [],
    "owner": None,
    "consent": {},
    "topics": {},
    "first_touch": None,
    "last_touch": None,
    "paused_until": None,
    "stage_at": None,
    "owner_at": None,
    "customer": None,
    "rfm": None,
    "segments": [],
}
"""A lead of whom nothing is known."""


def _facts(lead: LeadOfScenario, workspace: Workspace, where: ZoneInfo, now: datetime) -> dict[str, Any]:
    """What was said of the lead, as conditions see it; of consent and topics only what was said."""
    said = {name: getattr(lead, name) for name in lead.model_fields_set if name in NOBODY}
    if "consent" in said:
        said["consent"] = lead.consent.model_dump(exclude_none=True)
    if "topics" in said:
        said["topics"] = {topic: wish.model_dump(exclude_none=True) for topic, wish in lead.topics.items()}
    for name in ("paused_until", "stage_at", "owner_at"):
        if said.get(name) is not None:
            said[name] = _utc(said[name], where)
    if lead.customer is not None:
        said["customer"] = {"since": now.isoformat(), **typed(lead.customer)}
    if "segments" in said:
        said["segments"] = sorted(lead.segments)
    if lead.rfm is not None:
        said["rfm"] = lead.rfm.as_told()
    if "tags" in said:
        said["tags"] = list(lead.tags)
    return {**workspace.coerce_attributes(lead.attributes), **said, **_touches(lead, now)}


def _touches(lead: LeadOfScenario, now: datetime) -> dict[str, Any]:
    """The touches that were said; the only one is the first and the last."""
    told = {
        name: {
            "at": now.isoformat(),
            **getattr(lead, name).model_dump(mode="json", exclude_none=True),
        }
        for name in TOUCHES
        if getattr(lead, name) is not None
    }
    return {"last_touch": told["first_touch"], **told} if "first_touch" in told else told


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
