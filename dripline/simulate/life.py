"""One lead's life in virtual time: what is to happen, which run moves when, and every turn taken at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from dripline.engine.effects import Event, RunState, TurnEnd
from dripline.engine.entering import MAX_DEPTH, EarlierRun, bar, hears, reached_late, triggers
from dripline.engine.turn import take_turn
from dripline.language.expressions import EvaluationError
from dripline.language.plan import Plan
from dripline.simulate.timeline import Entry, Letter
from dripline.simulate.world import Run, World

MAX_TURNS = 5_000
"""Turns after which a life is cut short: surely a loop."""

ENROLLED = "journey.enrolled"
"""The event that an enrolment by hand is recorded as."""


class Life:
    """A lead and the journeys that it may enter. Say what happens, then let it `live`."""

    def __init__(
        self,
        plans: Iterable[Plan],
        lead: Mapping[str, Any],
        start: datetime,
        suppressed: Mapping[str, str] | None = None,
    ) -> None:
        self.plans = {plan.journey: plan for plan in plans}
        self.world = World(lead, suppressed)
        self.now = start
        self.cut_short = False
        self._coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self._number = count(1)
        self._turns = 0

    @property
    def timeline(self) -> list[Entry]:
        """Everything that happened, in order."""
        return self.world.timeline

    @property
    def letters(self) -> list[Letter]:
        """Every message, also those that were skipped or are held, in order."""
        return list(self.world.letters.values())

    @property
    def runs(self) -> list[Run]:
        """Every run, in the order in which they began."""
        return self.world.runs

    # -- what is to happen -----------------------------------------------------------------------------------

    def happens(self, name: str, properties: Mapping[str, Any], at: datetime) -> None:
        """An event that is to happen. `properties` are coerced already."""
        self._plan(at, lambda: self._record(name, properties))

    def changes(self, values: Mapping[str, Any], at: datetime) -> None:
        """A change to the lead from outside: what it has becomes `values`, and `lead.updated` says so."""
        self._plan(at, lambda: self._change(values))

    def enrols(self, journey: str, properties: Mapping[str, Any], at: datetime) -> None:
        """An enrolment by hand, past the trigger but not past the re-entry rule."""
        self._plan(at, lambda: self._enrol(journey, properties))

    def _plan(self, at: datetime, what: Callable[[], object]) -> None:
        heapq.heappush(self._coming, (at, next(self._number), what))

    # -- time ------------------------------------------------------------------------------------------------

    def live(self, until: datetime) -> None:
        """Let time pass, from one thing that happens to the next, until nothing more can or the time is over."""
        while (moment := self._next()) is not None and moment <= until:
            self.now = max(self.now, moment)
            while self._coming and self._coming[0][0] <= self.now:
                heapq.heappop(self._coming)[2]()
            while ready := self._ready():
                if self._turns >= MAX_TURNS:
                    self.cut_short = True
                    return
                self._turn(ready)

    def _next(self) -> datetime | None:
        moments = [at for at, _, _ in self._coming[:1]]
        moments += [end for run in self.runs if (end := _end_of_wait(run)) is not None]
        return min(moments, default=None)

    def _ready(self) -> Run | None:
        """The run whose turn is next: of those that may move now, the one with the highest priority."""
        ready = [
            run
            for run in self.runs
            if run.outcome is None and (run.woken or ((end := _end_of_wait(run)) and end <= self.now))
        ]
        return max(ready, key=lambda run: run.plan.priority, default=None)

    def _turn(self, run: Run) -> None:
        self._turns += 1
        run.woken = False
        turn = take_turn(run.plan, run.state, self.world.lead, list(run.inbox), self.now)
        answer: Any = None
        while True:
            try:
                answer = self.world.answer(run, turn.send(answer))
            except StopIteration as stop:
                end: TurnEnd = stop.value
                break
        run.state, run.outcome, run.parked = end.state, end.outcome, end.parked
        run.inbox = [event for event in run.inbox if event.id in end.left]
        run.woken = bool(run.inbox) and run.parked is None
        self.world.deliver(run, self.now)

    # -- what comes in, by the rules of ingest ---------------------------------------------------------------

    def _record(self, name: str, properties: Mapping[str, Any], depth: int = 0) -> Event:
        """Record an event, tell the runs that listen, count late goals, start the journeys that it triggers."""
        event = Event(f"event-{len(self.world.events) + 1}", name, dict(properties), self._in_order())
        self.world.events.append(event)
        self.timeline.append(Entry(event.received_at, "event", name, detail=event.properties))
        for run in self.runs:
            if run.outcome is None and _hears(run, event):
                run.inbox.append(event)
                run.woken = True
            elif run.outcome is not None and not run.converted:
                self._credit(run, event)
        for plan in sorted(self.plans.values(), key=lambda plan: plan.journey):
            if self._triggers(plan, event) and depth <= MAX_DEPTH:
                self._enter(plan, event, depth)
        return event

    def _in_order(self) -> datetime:
        """Now, or just after the newest moment that the lead's runs have seen, as ingest does."""
        seen = [event.received_at for event in self.world.events] + [run.state.last_at for run in self.runs]
        return max([self.now, *(moment + timedelta(microseconds=1) for moment in seen)])

    def _credit(self, run: Run, event: Event) -> None:
        state = run.state
        try:
            reached, value = reached_late(
                run.plan, self.world.lead, state.trigger, state.variables, state.started_at, event
            )
        except EvaluationError:
            return
        if reached:
            run.converted, run.value = True, value
            detail = {"event": event.name, "value": value}
            self.timeline.append(
                Entry(event.received_at, "step", "goal", run.plan.journey, run.id, None, detail)
            )

    def _triggers(self, plan: Plan, event: Event) -> bool:
        try:
            return triggers(plan, self.world.lead, event)
        except EvaluationError as problem:
            detail = {"journey": plan.journey, "reason": str(problem)}
            self.timeline.append(
                Entry(event.received_at, "step", "trigger-failed", plan.journey, detail=detail)
            )
            return False

    def _enter(self, plan: Plan, event: Event, depth: int) -> None:
        earlier = [
            EarlierRun(run.state.started_at, run.outcome is not None)
            for run in self.runs
            if run.plan.journey == plan.journey
        ]
        why_not = bar(plan, self.world.lead, earlier, event.received_at)
        if why_not is not None:
            detail = {"event": event.name, "reason": why_not}
            self.timeline.append(Entry(event.received_at, "step", "barred", plan.journey, detail=detail))
            return
        state = RunState(
            id=f"{plan.journey}-{len(earlier) + 1}",
            step=None,
            wait=None,
            variables={},
            visits={},
            trigger=event,
            last_event=None,
            last_message_at=None,
            started_at=event.received_at,
            last_at=event.received_at,
        )
        self.runs.append(Run(plan, state, depth))

    def _enrol(self, journey: str, properties: Mapping[str, Any]) -> None:
        event = self._record(ENROLLED, {**properties, "journey": journey})
        self._enter(self.plans[journey], event, 0)

    def _change(self, values: Mapping[str, Any]) -> None:
        changed = sorted(name for name, value in values.items() if self.world.lead.get(name) != value)
        if changed:
            self.world.lead.update(values)
            self._record("lead.updated", {"changed": changed})


def _end_of_wait(run: Run) -> datetime | None:
    """When the run moves on by itself, if it does."""
    if run.outcome is not None or run.parked is not None or run.state.wait is None:
        return None
    return run.state.wait.until


def _hears(run: Run, event: Event) -> bool:
    try:
        return hears(run.plan, run.state.step, event)
    except EvaluationError:  # the turn meets it as well, and says so
        return True
