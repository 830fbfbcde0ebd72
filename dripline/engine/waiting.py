"""Waits for a moment: `delay_until`, and how long a `wait_for` lasts."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any

from dripline.engine.calendar import add
from dripline.engine.effects import Effect, Note, Outcome
from dripline.engine.moments import next_such, of_date
from dripline.engine.moving import Moving
from dripline.engine.resting import rest
from dripline.language.expressions import Empty, compile_expression
from dripline.language.plan import DelayUntilStep, Moment, Otherwise, WaitForStep


def delay_until(run: Moving, step: DelayUntilStep) -> Generator[Effect, Any, Outcome | None]:
    """Rest until the moment, or do what the step says where there is none or it has gone by."""
    until = moment_of(run, step.moment)
    if until is None:
        what = "holiday known" if step.moment.holiday else "date"
        return (yield from _otherwise(run, step, step.if_missing, f"no {what}"))
    if until < run.at:
        return (yield from _otherwise(run, step, step.if_past, "the moment is past"))
    yield from rest(run, step, until)
    return None


def _otherwise(
    run: Moving, step: DelayUntilStep, rule: Otherwise, why: str
) -> Generator[Effect, Any, Outcome | None]:
    yield Note(run.at, step.id, "no-wait", {"reason": why, "do": rule.do, "to": rule.to})
    if rule.do == "exit":
        return Outcome("stopped", why)
    run.go_to(rule.to if rule.do == "skip" else step.next)
    return None


def wait_end(run: Moving, step: WaitForStep) -> datetime | None:
    """When a wait for an event is over; at once where its moment is past or unknown, None: never."""
    if step.until is not None:
        return max(moment_of(run, step.until) or run.at, run.at)
    return add(run.at, step.timeout, run.where) if step.timeout else None


def moment_of(run: Moving, moment: Moment) -> datetime | None:
    """The moment in the lead's zone; None where what it is made from is missing."""
    if moment.day is not None:
        return of_date(moment, moment.day, run.where)
    if moment.date is None:
        country = run.lead.get("country") or run.plan.region
        return next_such(moment, run.at, run.where, country)
    value = compile_expression(moment.date).evaluate(run.names())
    return None if value is Empty or value is None else of_date(moment, value, run.where)
