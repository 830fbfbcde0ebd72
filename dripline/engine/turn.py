"""One turn of a run: what it does between two waits.

`take_turn` is a generator over the plan. It yields effects, is sent their answers, and returns a TurnEnd. It
takes facts (events, the ends of waits) in the order in which they became true, each at its own instant, so
that a late worker changes nothing in the outcome. At the same instant: exit, goal, wait, timeout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dripline.engine.draw import draw
from dripline.engine.effects import Event, Note, Outcome, RunState, TurnEnd
from dripline.engine.facts import convert_late, next_fact, take_fact
from dripline.engine.moving import Asking, Moving, Turn
from dripline.engine.steps import MAX_STEPS, enter
from dripline.language.expressions import EvaluationError
from dripline.language.plan import Plan


def take_turn(
    plan: Plan,
    run: RunState,
    lead: Mapping[str, Any],
    inbox: Sequence[Event],
    now: datetime,
    pace: float = 1.0,
) -> Turn:
    """Take a run as far as it goes by `now`. Every event of `inbox` counts as having happened.

    `pace` is how many house seconds pass in a second, for what the clock on the wall is asked.

    Never raises for what a journey's author or a lead's data did wrong: the run is parked, with the reason.
    """
    moving = Moving(plan, run, lead, inbox, max(now, run.last_at), pace)
    try:
        end = yield from _take(moving)
    except EvaluationError as problem:
        yield Note(moving.at, moving.state.step, "parked", {"reason": str(problem)})
        end = TurnEnd(
            replace(moving.state, last_at=moving.at), parked=str(problem), left=frozenset(moving.pending)
        )
    for when, (name, reason) in moving.failed_filters.items():
        yield Note(
            moving.at, end.state.step, "filter-failed", {"event": name, "when": when, "reason": reason}
        )
    return end


def _assign_arm(run: Moving) -> Asking:
    """Draw the control group from lead and journey alone, so that whoever enters again stays where it was."""
    drawn = draw("holdout", str(run.lead.get("id")), run.plan.journey) * 100
    if drawn < run.plan.holdout:
        run.state = replace(run.state, holdout=True)
        yield Note(run.at, None, "holdout", {"percent": run.plan.holdout})


def _take(run: Moving) -> Turn:
    if run.state.step is None and not run.state.visits:
        yield Note(run.at, None, "entered", {"event": run.state.trigger and run.state.trigger.name})
        yield from _assign_arm(run)
        run.go_to(run.plan.steps[0].id)
    outcome: Outcome | None = None
    while outcome is None:
        resting = run.state.wait is not None
        fact = next_fact(run)
        if resting and fact is None:
            return TurnEnd(replace(run.state, last_at=max(run.at, run.now)))
        if resting and run.steps_taken > MAX_STEPS:  # enough for one transaction: the next turn goes on
            return TurnEnd(replace(run.state, last_at=run.at), left=frozenset(run.pending))
        if fact is not None:
            outcome = yield from take_fact(run, fact)
        elif run.state.step is None:
            outcome = Outcome("finished")
        else:
            outcome = yield from enter(run, run.plan.by_id[run.state.step])
    if outcome.kind != "goal":
        yield from convert_late(run)
    yield Note(run.at, run.state.step, "ended", {"outcome": outcome.kind, "reason": outcome.reason})
    return TurnEnd(replace(run.state, wait=None, last_at=run.at), outcome)
