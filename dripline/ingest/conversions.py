"""Goals reached after a run has ended: counted until the goal's `within`, as its author promised."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, select

from dripline.engine import effects
from dripline.engine.entering import reached_late
from dripline.language.expressions import EvaluationError
from dripline.language.plan import Plan
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.runs import load_event, note, record_goal
from dripline.store.schema import runs

_log = structlog.get_logger(__name__)

_OF_LEADS = (
    runs.c.lead_id.in_(bindparam("leads", expanding=True)),
    runs.c.ended_at.is_not(None),
    runs.c.converted_at.is_(None),
)
_UNCONVERTED = select(runs).where(*_OF_LEADS)
_PLANS = select(runs.c.lead_id, runs.c.plan_hash).where(*_OF_LEADS).distinct()


def awaited_conversions(connection: Connection, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    """The pairs of a lead and an event's name that `credit_ended_runs` would look at."""
    return {
        (row.lead_id, name)
        for row in connection.execute(_PLANS, {"leads": list(lead_ids)})
        if (goal := load_plan(connection, row.plan_hash).goal) is not None and goal.within is not None
        for name in goal.on.events
    }


def credit_ended_runs(connection: Connection, lead: Row[Any], event: effects.Event) -> tuple[str, ...]:
    """Count the event as the conversion of every ended run of the lead whose goal it is; their ids."""
    ended = connection.execute(_UNCONVERTED, {"leads": [lead.id]}).all()
    credited = []
    for run in ended:
        plan = load_plan(connection, run.plan_hash)
        try:
            reached, value = _reached(connection, plan, lead, run, event)
        except EvaluationError as error:  # an event is never lost to a condition; the run has ended anyway
            _log.warning("goal-failed", journey=plan.journey, run=run.id, error=str(error))
            continue
        if reached:
            record_goal(connection, run.id, event.received_at, value)
            detail = {"event": event.name, "value": value}
            note(connection, run.id, run.turn, event.received_at, None, "goal", detail)
            credited.append(run.id)
    return tuple(credited)


def _reached(
    connection: Connection, plan: Plan, lead: Row[Any], run: Row[Any], event: effects.Event
) -> tuple[bool, float | None]:
    if plan.goal is None or event.name not in plan.goal.on.events:
        return False, None
    trigger = load_event(connection, run.trigger_event)
    return reached_late(plan, facts(lead), trigger, run.variables, run.started_at, event)
