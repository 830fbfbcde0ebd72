"""The made-up lead, and the event by which it enters the journey."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dripline.engine.calendar import add, zone_of
from dripline.engine.effects import Event
from dripline.engine.entering import triggers
from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.language.expressions import compile_expression
from dripline.language.fields import FieldType
from dripline.language.plan import Duration, MessageStep, Plan
from dripline.language.workspace import Workspace
from dripline.trying.acts import UPDATED, Act, event_values, lead_body
from dripline.trying.making_up import Making, fill, said_in

CREATED = "lead.created"
STORY_NUMBER = "+12025550123"
"""A number that belongs to nobody: reserved for stories."""


@dataclass(frozen=True)
class Given:
    """What was said of the lead and of the event; the rest is made up."""

    email: str
    lead: Mapping[str, Any] = field(default_factory=dict)
    """By name: fields, attributes, `consent.email`. Coerced or as texts; "": shall be left out."""
    event: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """How the lead comes in: made as `lead`, and then does `act`. Without one it is enrolled by hand."""

    lead: Mapping[str, Any]
    """By name, as in Given."""
    act: Act | None
    historical: bool
    """Whether it is made without being told of: where its making is not what lets it in."""


class CannotEnter(Exception):
    """Nothing was found that lets the lead in. Says what to give."""


def making(given: Given, plan: Plan, workspace: Workspace, now: datetime) -> Making:
    """What values are made up from."""
    zone = zone_of(given.lead.get("timezone"), given.lead.get("country"), plan.timezone)
    return Making(now, zone, given.email, workspace.currency, plan.topic)


def start_of(plan: Plan, workspace: Workspace, given: Given, now: datetime) -> Start:
    """The lead and its event, such that the trigger lets it in. Raises CannotEnter, Misunderstood."""
    made = making(given, plan, workspace, now)
    lead = {**_lead(plan, workspace, given, made), **given.lead}
    names = plan.trigger.on.events
    if not names:
        return Start(lead, None, historical=True)
    event = given.event or names[0]
    if event not in names:
        raise CannotEnter(f"{plan.journey} is not entered by {event}, but by {' or '.join(names)}.")
    return _entering(plan, workspace, given, made, lead, event)


def facts_of(lead: Mapping[str, Any], email: str, workspace: Workspace) -> dict[str, Any]:
    """The lead as conditions would see it. Raises Misunderstood."""
    change = read_change(LeadIn.model_validate({"email": email, **lead_body(lead, workspace)}), workspace)
    columns = change.applied_to({})
    attributes = columns.pop("attributes")
    return {"score": 0.0, "tags": [], **attributes, **columns}


def choices_of_lead(
    condition: str | None,
    lead: Mapping[str, Any],
    workspace: Workspace,
    said: list[Any],
    made: Making,
) -> dict[str, list[Any]]:
    """By path, what the fields of a lead that a condition reads might be; what they are stands first."""
    found = {}
    for name in sorted(compile_expression(condition).names) if condition else ():
        root, _, path = name.partition(".")
        kind = _kind(path, workspace) if root == "lead" else None
        if kind is not None:
            found[name] = made.candidates(lead.get(path), kind, said)
    return found


def choices_of_event(
    event: str, values: Mapping[str, Any], workspace: Workspace, said: list[Any], made: Making
) -> dict[str, list[Any]]:
    """By path, what the properties of an event might be; those that are given stay."""
    return {
        f"event.{name}": [values[name]]
        if name in values
        else made.candidates(made.value(name, kind), kind, said)
        for name, kind in workspace.events[event].items()
    }


def below(root: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of `event.seats` and the like what is below that root, without what is None."""
    start = f"{root}."
    return {
        path.removeprefix(start): value
        for path, value in values.items()
        if path.startswith(start) and value is not None
    }


def _entering(
    plan: Plan, workspace: Workspace, given: Given, made: Making, lead: Mapping[str, Any], event: str
) -> Start:
    when = plan.trigger.on.when
    said = said_in(when, {"lead": facts_of(lead, given.email, workspace)})
    options = choices_of_lead(when, lead, workspace, said, made)
    choices = {
        path: [given.lead[name]] if (name := path.removeprefix("lead.")) in given.lead else values
        for path, values in options.items()
    }
    if event not in (CREATED, UPDATED):
        properties = event_values(event, given.properties, workspace)
        choices |= choices_of_event(event, properties, workspace, said, made)
    elif given.properties:
        raise CannotEnter(f"{event} has no properties to give: say --attribute for what the lead is like.")
    changed = sorted({path.split(".")[1] for path in options}) or ["stage"]
    found = fill(when, choices, _lets_in(plan, workspace, given.email, lead, event, changed, made.now))
    if found is None:
        raise CannotEnter(
            f"Nothing was found that lets a lead into {plan.journey}: {event} when `{when}`.\n"
            "Give what it takes: --event-property name=value for the event, --attribute name=value for the lead."
        )
    lead = {**lead, **{path.removeprefix("lead."): found[path] for path in options}}
    lead = {name: value for name, value in lead.items() if value is not None}
    if event == CREATED:
        return Start(lead, Act(CREATED), historical=False)
    if event != UPDATED:
        return Start(lead, Act(event, below("event", found)), historical=True)
    return _by_update(lead, [path.removeprefix("lead.") for path in options])


def _by_update(lead: Mapping[str, Any], names: list[str]) -> Start:
    """A lead of whom that is not known yet which its update then tells."""
    news = {name: lead[name] for name in names if name in lead} or {"stage": "lead"}
    before = {name: value for name, value in lead.items() if name not in news}
    before |= {name: True for name, value in news.items() if value is False}
    return Start(before, Act(UPDATED, news), historical=True)


def _lets_in(
    plan: Plan,
    workspace: Workspace,
    email: str,
    lead: Mapping[str, Any],
    event: str,
    changed: list[str],
    now: datetime,
) -> Callable[[Mapping[str, Any]], bool]:
    def fits(values: Mapping[str, Any]) -> bool:
        one = {
            **lead,
            **{path.removeprefix("lead."): value for path, value in values.items() if path[:5] == "lead."},
        }
        facts = facts_of(one, email, workspace)
        properties = {"changed": changed} if event == UPDATED else below("event", values)
        return triggers(plan, facts, Event("", event, properties, now))

    return fits


def _lead(plan: Plan, workspace: Workspace, given: Given, made: Making) -> dict[str, Any]:
    """What the lead is like where nothing was said: as the workspace's leads are, agreeing to everything."""
    lead: dict[str, Any] = {"locale": workspace.locales[0], "consent.email": True, "consent.sms": True}
    if not given.lead.get("country"):
        lead["timezone"] = workspace.timezone
        lead |= {"country": workspace.default_region} if workspace.default_region else {}
    steps = [step for step in plan.steps if isinstance(step, MessageStep)]
    topics = {topic for topic in (plan.topic, *(step.topic for step in steps)) if topic}
    lead |= {f"topics.{topic}": True for topic in sorted(topics)}
    lead |= {name: made.value(name, kind) for name, kind in read_attributes(plan, workspace).items()}
    return {**lead, **_its_day(plan, made)}


def _its_day(plan: Plan, made: Making) -> dict[str, Any]:
    """The date by which leads enter, such that its day was yesterday: today it could let the lead in once more."""
    yearly = plan.trigger.yearly
    if yearly is None:
        return {}
    back = Duration(months=-yearly.offset.months - 12, days=-yearly.offset.days - 1)
    at = add(made.now, back, made.zone).astimezone(made.zone)
    return {yearly.attribute: (at.date() if yearly.kind == "date" else at).isoformat()}


def read_attributes(plan: Plan, workspace: Workspace) -> dict[str, FieldType]:
    """The workspace's attributes that the journey or a template of it reads, with their types."""
    text = plan.model_dump_json()
    return {
        name: kind
        for name, kind in workspace.attributes.items()
        if re.search(rf"\blead\.{re.escape(name)}\b", text)
    }


def _kind(path: str, workspace: Workspace) -> FieldType | None:
    """The type of a field of the lead that may be made up; None for others."""
    if path.startswith(("consent.", "topics.")):
        return "boolean"
    fixed: Mapping[str, FieldType] = {"stage": "text", "score": "number", "tags": "list"}
    return fixed.get(path) or workspace.attributes.get(path)


__all__ = [
    "CREATED",
    "STORY_NUMBER",
    "CannotEnter",
    "Given",
    "Start",
    "below",
    "choices_of_event",
    "choices_of_lead",
    "facts_of",
    "making",
    "read_attributes",
    "start_of",
]
