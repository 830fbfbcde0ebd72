"""What conditions and templates see of a run: plain data, times as times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dripline.engine.effects import Event
from dripline.engine.keeping import restored
from dripline.engine.topics import at_a_glance
from dripline.language.completeness import lacks
from dripline.language.expressions import EvaluationError, compile_expression, revive
from dripline.language.plan import Goal, Plan
from dripline.language.touches import TOUCHES


def event_scope(plan: Plan, event: Event | None) -> dict[str, Any]:
    """An event as `event` or `trigger`: its properties, and its `name`."""
    if event is None:
        return {}
    return {**revive(event.properties, plan.event_times.get(event.name, {})), "name": event.name}


def scope(
    plan: Plan,
    lead: Mapping[str, Any],
    trigger: Event | None,
    event: Event | None,
    variables: Mapping[str, Any],
    now: datetime,
    where: ZoneInfo,
) -> dict[str, Any]:
    """The names that an expression may read; `now` and `today` are in the lead's zone."""
    local = now.astimezone(where)
    return {
        **{name: _remembered(plan, value) for name, value in variables.items()},
        "lead": lead_scope(lead, plan.attribute_times),
        "trigger": event_scope(plan, trigger),
        "event": event_scope(plan, event),
        "journey": {"id": plan.journey, "title": plan.title},
        "now": local,
        "today": local.date(),
    }


def lead_scope(
    lead: Mapping[str, Any], attribute_times: Mapping[str, Literal["date", "datetime"]]
) -> dict[str, Any]:
    """A lead as `lead`, its attributes that are times as times."""
    touches = {name: revive(lead[name], {"at": "datetime"}) for name in TOUCHES if lead.get(name)}
    missing = lacks(lead)
    whole = {**lead, **touches, "topics": at_a_glance(lead.get("topics"))}
    whole |= {"lacks": missing, "complete": not missing, "segments": lead.get("segments") or []}
    if lead.get("rfm"):
        whole["rfm"] = revive(lead["rfm"], {"last": "date"})
    return revive(whole, attribute_times)


def _remembered(plan: Plan, value: Any) -> Any:
    value = restored(value)
    if isinstance(value, Mapping) and value.get("is") == "discount":
        return revive(value, {"expires_on": "date"})
    if isinstance(value, Mapping) and value.get("name") in plan.event_times:  # an event that a wait accepted
        return revive(value, plan.event_times[value["name"]])
    return value


def goal_value(goal: Goal, names: dict[str, Any]) -> float | None:
    """What a conversion is worth; None where that is not said, or cannot be reckoned from the event."""
    try:
        found = compile_expression(goal.value).evaluate(names) if goal.value else None
    except EvaluationError:
        return None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
