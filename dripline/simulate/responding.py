"""What a lead of a crowd does while it is in a journey, drawn by lot from the rates; the same for the same seed."""

from __future__ import annotations

from datetime import datetime, timedelta

from dripline.engine.draw import draw
from dripline.engine.effects import Event
from dripline.engine.scope import event_scope
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.plan import EventFilter, Plan, RemindStep, WaitForStep
from dripline.simulate.crowd import Crowd, Sample, happening
from dripline.simulate.life import Life
from dripline.simulate.setting import Changes, Happens
from dripline.simulate.state import Run

LONG = timedelta(days=30)
"""Where nothing else says how long: as long as an open wait, or a whole run, gives for an answer."""


class Responding:
    """One lead's answers. `bind` it to its life; then it is told of every turn."""

    def __init__(self, crowd: Crowd, lead: str) -> None:
        self._crowd = crowd
        self._lead = lead
        self._life: Life | None = None
        self._drawn: set[tuple[str, str, int]] = set()

    def bind(self, life: Life) -> None:
        """The life that the answers happen in."""
        self._life = life

    def rested(self, run: Run) -> None:
        """Draw what comes of the wait that the run rests in; once a run, what nobody waits for at a step."""
        if run.outcome is not None:
            return
        self._once(run)
        step, wait = run.plan.by_id.get(run.state.step or ""), run.state.wait
        wanted = _awaited(step)
        if wait is None or step is None or wanted is None:
            return
        visit = run.state.visits.get(step.id, 0)
        if self._first(run, step.id, visit):
            given = wait.until - wait.began if wait.until else LONG
            self._draw(run, wanted, f"{step.id}/{visit}", wait.began, given)

    def _once(self, run: Run) -> None:
        if not self._first(run, "", 0):
            return
        awaited = {name for step in run.plan.steps if (wanted := _awaited(step)) for name in wanted.events}
        filters = [way_out.on for way_out in run.plan.exits] + ([run.plan.goal.on] if run.plan.goal else [])
        told: set[str] = set()
        for wanted in filters:
            names = tuple(name for name in wanted.events if name not in awaited | told)
            told |= set(names)
            only = wanted.model_copy(update={"events": names})
            self._draw(run, only, "", run.state.started_at, LONG)

    def _first(self, run: Run, step: str, visit: int) -> bool:
        key = (run.id, step, visit)
        if key in self._drawn:
            return False
        self._drawn.add(key)
        return True

    def _draw(self, run: Run, wanted: EventFilter, of: str, since: datetime, given: timedelta) -> None:
        assert self._life is not None
        for name in wanted.events:
            rate = self._crowd.rates.get(name)
            lot = (str(self._crowd.seed), self._lead, run.id, of, name)
            if rate is None or draw(*lot, "whether") >= rate.share:
                continue
            at = since + (rate.within or given) * draw(*lot, "when")
            samples = self._fitting(run.plan, wanted, name, at)
            sample = samples[int(draw(*lot, "which") * len(samples))] if samples else None
            what = happening(sample, self._crowd.plans, at) if sample else Happens(name, {})
            if isinstance(what, Changes):
                self._life.changes(what.values, at)
            else:
                self._life.happens(name, what.properties, at)

    def _fitting(self, plan: Plan, wanted: EventFilter, name: str, at: datetime) -> tuple[Sample, ...]:
        """The samples that the filter lets through, as far as the event alone tells; else all."""
        samples = self._crowd.samples.get(name, ())
        return tuple(one for one in samples if _passes(plan, wanted, one, at)) or samples


def _awaited(step: object) -> EventFilter | None:
    if isinstance(step, WaitForStep):
        return step.on
    return step.unless if isinstance(step, RemindStep) else None


def _passes(plan: Plan, wanted: EventFilter, sample: Sample, at: datetime) -> bool:
    if wanted.when is None or not wanted.event_only or isinstance(sample.what, Changes):
        return True
    event = Event("", sample.what.name, sample.what.properties, at)
    try:
        return compile_expression(wanted.when).holds({"event": event_scope(plan, event)})
    except EvaluationError:
        return False
