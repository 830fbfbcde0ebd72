"""Steps that change something (`set`, `update`, `enroll`, `unenroll`), and `split`, which divides the leads."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from dripline.engine.calendar import zone_of
from dripline.engine.draw import draw
from dripline.engine.effects import (
    TOO_LONG,
    Effect,
    EnrollLead,
    Note,
    Outcome,
    UnenrollLead,
    Updated,
    UpdateLead,
)
from dripline.engine.keeping import kept
from dripline.engine.moving import Asking, Moving
from dripline.language.expressions import Empty, EvaluationError, compile_expression
from dripline.language.fields import coerce_value
from dripline.language.plan import EnrollStep, LeadValue, SetStep, SplitStep, UnenrollStep, UpdateStep

MAX_ACCEPTED = 200
"""How many of the events that ended a wait, or that it caused itself, a run remembers."""

MAX_REASON = 256
"""Letters of a reason that are kept."""
_MAX_TAGS = 200
_MAX_SCORE = 1e15


def split(run: Moving, step: SplitStep) -> Asking:
    """Go on at the arm that the lead's lot falls on."""
    lot = draw(str(run.lead["id"]), run.plan.journey, step.id) * 100
    reached = 0.0
    chosen = next(
        arm for arm in reversed(step.arms) if arm.percent > 0
    )  # where percents fall short by a hair
    for arm in step.arms:
        reached += arm.percent
        if lot < reached:
            chosen = arm
            break
    yield Note(run.at, step.id, "split", {"arm": chosen.name})
    run.go_to(chosen.to)


def set_names(run: Moving, step: SetStep) -> Asking:
    """Remember values, each reckoned before any of them is set."""
    names = run.names()
    values = {name: kept(compile_expression(source).evaluate(names)) for name, source in step.values.items()}
    for name, value in values.items():
        run.remember(name, value)
    if step.included is None:
        yield Note(run.at, step.id, "set", {"names": sorted(values)})
        run.go_to(step.next)
    else:
        yield Note(run.at, step.id, "included", {"block": step.included})
        run.go_to(step.then)


def update(run: Moving, step: UpdateStep) -> Generator[Effect, Any, Outcome | None]:
    """Change the lead; what is as it was is left alone, and where all is, nothing is told."""
    columns, attributes = _columns(run, step), _attributes(run, step)
    changed = tuple(sorted({*columns, *attributes}))
    if changed:
        reason = _reason(run, step) if "stage" in columns else None
        answer: Updated | None = yield UpdateLead(
            columns, attributes, changed, run.at, _points(run, step, columns), reason
        )
        if answer is None:
            return Outcome("too-long", TOO_LONG)
        run.lead = answer.lead
        run.where = zone_of(run.lead.get("timezone"), run.lead.get("country"), run.plan.timezone)
        # Exits and the goal look at it as at any event; no wait of this very run is ended by it.
        own = [answer.event, *answer.more]
        run.pending |= {event.id: event for event in own}
        accepted = (*run.state.accepted, *(event.id for event in own))
        run.state = replace(run.state, accepted=accepted[-MAX_ACCEPTED:])
    yield Note(run.at, step.id, "updated", {"changed": list(changed)})
    run.go_to(step.next)
    return None


def _reason(run: Moving, step: UpdateStep) -> str | None:
    said = _value(run, step.stage_reason) if step.stage_reason is not None else None
    return None if said is None else str(said)[:MAX_REASON]


def _columns(run: Moving, step: UpdateStep) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if step.stage is not None:
        columns["stage"] = _value(run, step.stage)
        if columns["stage"] is not None and len(columns["stage"]) > 32:
            raise EvaluationError("too-long-for-a-stage")
    score = float(run.lead.get("score") or 0)
    if step.score_add is not None:
        columns["score"] = score + float(_value(run, step.score_add) or 0)
    if step.score_set is not None:
        columns["score"] = float(_value(run, step.score_set) or 0)
    if abs(columns.get("score", 0)) > _MAX_SCORE:
        raise EvaluationError("score-too-large")
    tags = list(run.lead.get("tags") or [])
    kept_tags = [tag for tag in tags if tag not in step.tags_remove or tag in step.tags_add]
    columns["tags"] = list(dict.fromkeys([*kept_tags, *step.tags_add]))
    if len(columns["tags"]) > max(_MAX_TAGS, len(tags)):
        raise EvaluationError("too-many-tags")
    before = {"stage": run.lead.get("stage"), "score": score, "tags": tags}
    return {name: value for name, value in columns.items() if value != before[name]}


def _points(run: Moving, step: UpdateStep, columns: dict[str, Any]) -> float | None:
    """What is added to the score; None where it is set, or stays."""
    if step.score_add is None or step.score_set is not None or "score" not in columns:
        return None
    return float(_value(run, step.score_add) or 0)


def _attributes(run: Moving, step: UpdateStep) -> dict[str, Any]:
    values = {name: _value(run, given) for name, given in step.attributes.items()}
    return {name: value for name, value in values.items() if value != run.lead.get(name)}


def _value(run: Moving, given: LeadValue) -> Any:
    """The value as JSON of its kind; None where the expression's is Empty."""
    if given.expression is None:
        return given.value
    value = compile_expression(given.expression).evaluate(run.names())
    if value is Empty or value is None:
        return None
    if isinstance(value, datetime) and given.kind == "date":
        value = value.astimezone(run.where).date()
    if isinstance(value, date):
        value = value.isoformat()
    try:
        return coerce_value(value, given.kind, run.where)
    except ValueError:
        raise EvaluationError(f"not-of-type-{given.kind}") from None


def enroll(run: Moving, step: EnrollStep) -> Generator[Effect, Any, Outcome | None]:
    """Let the lead enter another journey, if that lets it in."""
    why_not: str | None = yield EnrollLead(step.journey, run.at)
    if why_not == TOO_LONG:
        return Outcome("too-long", TOO_LONG)
    yield Note(run.at, step.id, "enrolled", {"journey": step.journey, "reason": why_not})
    run.go_to(step.next)
    return None


def unenroll(run: Moving, step: UnenrollStep) -> Asking:
    """End the lead's runs of another journey."""
    ended: int = yield UnenrollLead(step.journey, run.at)
    yield Note(run.at, step.id, "unenrolled", {"journey": step.journey, "ended": ended})
    run.go_to(step.next)
