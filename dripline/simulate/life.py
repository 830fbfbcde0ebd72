"""One lead's life in virtual time: what is to happen, which run moves when, and every turn taken at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from dripline.engine.effects import TurnEnd
from dripline.engine.recommending import Interest, Product
from dripline.engine.turn import take_turn
from dripline.language.plan import Plan
from dripline.language.rules import Rules
from dripline.language.scoring import Scoring
from dripline.simulate.dates import Dates
from dripline.simulate.recording import Recording
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry, Letter
from dripline.simulate.world import World, Writing, written

BOUGHT = timedelta(days=30)
"""How long ago the lead bought what it had bought before."""

MAX_TURNS = 5_000
"""Turns after which a life is cut short: surely a loop."""


class Life:
    """A lead and the journeys that it may enter. Say what happens, then let it `live`."""

    def __init__(
        self,
        plans: Iterable[Plan],
        lead: Mapping[str, Any],
        start: datetime,
        suppressed: Mapping[str, str] | None = None,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        scoring: Scoring | None = None,
        slots: dict[str, datetime] | None = None,
        write: Writing = written,
        rested: Callable[[Run], None] | None = None,
        rules: Rules | None = None,
        products: Mapping[str, Product] | None = None,
        bought: Sequence[str] = (),
    ) -> None:
        """`slots` are the throttles' next places, where lives share them. `rested` is told of every turn's end."""
        named = {plan.journey: plan for plan in plans}
        self.state = State(
            named, dict(lead), dict(suppressed or {}), start, answers=answers or {}, scoring=scoring
        )
        self.state.rules = rules or Rules()
        self.state.products = products or {}
        ago = start - BOUGHT
        self.state.bought = [Interest(product, "bought", 1, ago, ago) for product in bought]
        if slots is not None:
            self.state.slots = slots
        self._rested = rested
        self._recording = Recording(self.state)
        self._dates = Dates(self.state, self._recording)
        self._world = World(self.state, self._recording, write)
        self.cut_short = False
        self._coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self._number = count(1)
        self._turns = 0

    @property
    def timeline(self) -> list[Entry]:
        """Everything that happened, in order."""
        return self.state.timeline

    @property
    def letters(self) -> list[Letter]:
        """Every message, also those that were skipped or are held, in order."""
        return list(self.state.letters.values())

    @property
    def runs(self) -> list[Run]:
        """Every run, in the order in which they began."""
        return self.state.runs

    # -- what is to happen -----------------------------------------------------------------------------------

    def happens(self, name: str, properties: Mapping[str, Any], at: datetime) -> None:
        """An event that is to happen. `properties` are coerced already."""
        self._plan(at, lambda: self._recording.record(name, properties))

    def changes(self, values: Mapping[str, Any], at: datetime) -> None:
        """A change to the lead from outside: what it has becomes `values`, and `lead.updated` says so."""
        self._plan(at, lambda: self._recording.change(values))

    def enrols(self, journey: str, properties: Mapping[str, Any], at: datetime) -> None:
        """An enrolment by hand, past the trigger but not past the re-entry rule."""
        self._plan(at, lambda: self._recording.enrol(journey, properties))

    def _plan(self, at: datetime, what: Callable[[], object]) -> None:
        heapq.heappush(self._coming, (at, next(self._number), what))

    # -- time ------------------------------------------------------------------------------------------------

    def live(self, until: datetime) -> None:
        """Let time pass, from one thing that happens to the next, until nothing more can or the time is over."""
        while (moment := self.next()) is not None and moment <= until:
            self.go_to(moment)

    def go_to(self, moment: datetime) -> None:
        """Let it be that moment, the `next` one, with everything that happens in it."""
        self.state.now = max(self.state.now, moment)
        while self._coming and self._coming[0][0] <= self.state.now:
            heapq.heappop(self._coming)[2]()
        self._recording.age()
        timers = self.state.timers
        while timers and timers[0][0] <= self.state.now:
            heapq.heappop(timers)[2]()
        self._dates.enter_due()
        while ready := self._ready():
            if self._turns >= MAX_TURNS:
                self.cut_short = True
                return
            self._turn(ready)

    def next(self) -> datetime | None:
        """When something happens next; None where nothing more can."""
        if self.cut_short:
            return None
        moments = [at for at, _, _ in (*self._coming[:1], *self.state.timers[:1])]
        date = self._dates.next()
        by_time = (date, self._recording.scores.due, self._recording.segments.due)
        moments += [one for one in by_time if one is not None]
        moments += [end for run in self.runs if (end := _end_of_wait(run)) is not None]
        return min(moments, default=None)

    def _ready(self) -> Run | None:
        """The run whose turn is next: of those that may move now, the one with the highest priority."""
        ready = [
            run
            for run in self.runs
            if run.outcome is None and (run.woken or ((end := _end_of_wait(run)) and end <= self.state.now))
        ]
        return max(ready, key=lambda run: run.plan.priority, default=None)

    def _turn(self, run: Run) -> None:
        self._turns += 1
        run.woken = False
        turn = take_turn(run.plan, run.state, self.state.lead, list(run.inbox), self.state.now)
        answer: Any = None
        while True:
            try:
                answer = self._world.answer(run, turn.send(answer))
            except StopIteration as stop:
                end: TurnEnd = stop.value
                break
        run.state, run.outcome, run.parked = end.state, end.outcome, end.parked
        run.inbox = [event for event in run.inbox if event.id in end.left]
        run.inbox += [
            replace(one, received_at=max(one.received_at, end.state.last_at)) for one in run.answered
        ]
        run.answered = []
        run.woken = bool(run.inbox) and run.parked is None
        self._world.deliver(run, self.state.now)
        if self._rested is not None:
            self._rested(run)


def _end_of_wait(run: Run) -> datetime | None:
    """When the run moves on by itself, if it does."""
    if run.outcome is not None or run.parked is not None or run.state.wait is None:
        return None
    return run.state.wait.until
