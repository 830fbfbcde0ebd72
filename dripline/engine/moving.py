"""The moving parts of one turn, and the small things that every step does with them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dripline.engine.calendar import zone_of
from dripline.engine.effects import Effect, Event, FindProducts, RunState, TurnEnd
from dripline.engine.hours import on_the_wall
from dripline.engine.keys import of_another_key
from dripline.engine.recommending import Pick, spoken
from dripline.engine.scope import scope
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.plan import EventFilter, Plan, RepeatStep
from dripline.language.recommending import RECOMMENDED

Turn = Generator[Effect, Any, TurnEnd]
"""A turn: yields effects, is sent their answers, returns how it ended."""

Asking = Generator[Effect, Any, None]
"""A part of a turn that comes to nothing but its effects."""


class Moving:
    """A run in the middle of a turn: its instant `at`, its state, the events not yet looked at."""

    def __init__(
        self,
        plan: Plan,
        run: RunState,
        lead: Mapping[str, Any],
        inbox: Sequence[Event],
        now: datetime,
        pace: float = 1.0,
    ) -> None:
        self.plan = plan
        self.state = run
        self.lead = lead
        self.now = now
        self.pace = pace
        self.at = run.last_at
        self.where: ZoneInfo = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
        self.pending = {event.id: event for event in inbox}
        self.failed_filters: dict[str, tuple[str, str]] = {}
        self.recommended: list[dict[str, Any]] | None = None
        """What there is to recommend, once a step has asked."""
        self.steps_taken = 0
        self.steps_since_wait = 0

    def wall(self) -> datetime:
        """The moment at which something that is due at the run's instant is really done."""
        return on_the_wall(self.at, self.now, self.pace)

    def go_to(self, step: str | None) -> None:
        """Go on at a step; the count of every loop that this leaves is forgotten."""
        loops = {loop: state for loop, state in self.state.loops.items() if self._within(loop, step)}
        self.state = replace(self.state, step=step, wait=None, loops=loops)

    def _within(self, loop: str, step: str | None) -> bool:
        around = self.plan.by_id.get(loop)
        return not isinstance(around, RepeatStep) or step == loop or step in around.within

    def remember(self, name: str, value: Any) -> None:
        self.state = replace(self.state, variables={**self.state.variables, name: value})

    def context(self) -> dict[str, Any]:
        """What a template may read besides the lead: kept with the message, as plain JSON."""
        trigger, event = self.state.trigger, self.state.last_event or self.state.trigger
        return {
            "variables": dict(self.state.variables),
            "trigger": {"name": trigger.name, "properties": dict(trigger.properties)} if trigger else None,
            "event": {"name": event.name, "properties": dict(event.properties)} if event else None,
        }

    def look_what_to_recommend(self) -> Generator[Effect, Any, list[Pick]]:
        """Ask what there is to recommend to the lead now: conditions read it in its language."""
        picks: list[Pick] = yield FindProducts(self.at)
        self.recommended = spoken(picks, self.lead.get("locale"), self.plan.locale)
        return picks

    def names(self, event: Event | None = None) -> dict[str, Any]:
        candidate = event or self.state.last_event or self.state.trigger
        found = scope(
            self.plan, self.lead, self.state.trigger, candidate, self.state.variables, self.at, self.where
        )
        return found if self.recommended is None else {**found, RECOMMENDED: self.recommended}

    def holds(self, condition: str) -> bool:
        return compile_expression(condition).holds(self.names())

    def matches(self, wanted: EventFilter, event: Event) -> bool:
        """Whether the filter lets the event through; one that cannot be evaluated lets nothing through."""
        if event.name not in wanted.events or of_another_key(self.plan, self.state.trigger, event):
            return False
        if wanted.when is None:
            return True
        try:
            return compile_expression(wanted.when).holds(self.names(event))
        except EvaluationError as problem:
            self.failed_filters[wanted.when] = (event.name, str(problem))
            return False
