"""Goals reached after a run has ended: counted until the goal's `within`, as its author promised."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from dripline.engine import effects
from dripline.engine.calendar import add, zone_of
from dripline.engine.keys import of_another_key
from dripline.engine.scope import goal_value, scope
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.plan import Plan
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.runs import load_event, note, record_goal
from dripline.store.schema import runs

_log = structlog.get_logger(__name__)


def credit_ended_runs(connection: Connection, lead: Row[Any], event: effects.Event) -> tuple[str, ...]:
    """Count the event as the conversion of every ended run of the lead whose goal it is; their ids."""
    ended = connection.execute(
        select(runs).where(
            runs.c.lead_id == lead.id, runs.c.ended_at.is_not(None), runs.c.converted_at.is_(None)
        )
    ).all()
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
    goal = plan.goal
    if goal is None or goal.within is None or event.name not in goal.on.events:
        return False, None
    where = zone_of(lead.timezone, lead.country, plan.timezone)
    if event.received_at > add(run.started_at, goal.within, where):
        return False, None
    trigger = load_event(connection, run.trigger_event)
    if of_another_key(plan, trigger, event):
        return False, None
    names = scope(plan, facts(lead), trigger, event, run.variables, event.received_at, where)
    if goal.on.when is not None and not compile_expression(goal.on.when).holds(names):
        return False, None
    return True, goal_value(goal, names)
