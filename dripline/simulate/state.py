"""What there is in a made-up world: one lead, its runs, what happened to it and what it was sent."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dripline.engine.effects import Answer, Event, Outcome, RunState
from dripline.engine.recommending import Interest, Product
from dripline.engine.scoring import Given
from dripline.language.plan import Plan
from dripline.language.rules import Rules
from dripline.language.scoring import Scoring
from dripline.simulate.timeline import Entry, Letter


@dataclass
class Run:
    """One way of the lead through a journey."""

    plan: Plan
    state: RunState
    key: str | None = None
    """Which of the journey's keys it goes on for."""
    depth: int = 0
    inbox: list[Event] = field(default_factory=list)
    woken: bool = True
    outcome: Outcome | None = None
    parked: str | None = None
    answered: list[Answer] = field(default_factory=list)
    """What the world outside said during this turn: for the next one."""
    converted: bool = False
    value: float | None = None

    @property
    def id(self) -> str:
        """Made of the journey and a number."""
        return self.state.id


@dataclass
class TaskOfLead:
    """Something that a colleague has to do for the lead."""

    id: str
    title: str
    person: str | None
    run: str
    created_at: datetime
    due_at: datetime | None
    done: bool = False


@dataclass(frozen=True)
class Handed:
    """The lead, as a run handed it over to a team."""

    run: str
    at: datetime
    reactions: Collection[str]
    """The events that show that whoever has it has reacted."""


@dataclass
class State:
    """Everything. `lead` is as conditions see it (see the store's `facts`)."""

    plans: Mapping[str, Plan]
    """The journeys that the lead may enter, by name."""
    lead: dict[str, Any]
    suppressed: Mapping[str, str]
    """By channel, why the lead's address is not to be written to."""
    now: datetime
    runs: list[Run] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    letters: dict[str, Letter] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By step id, what the world outside answers."""
    slots: dict[str, datetime] = field(default_factory=dict)
    """By journey, when the next place in its throttle is free."""
    timeline: list[Entry] = field(default_factory=list)
    scoring: Scoring | None = None
    """The rules by which the lead is scored, if it is."""
    points: list[Given] = field(default_factory=list)
    rescore_at: datetime | None = None
    """When age alone changes the lead's score."""
    rules: Rules = field(default_factory=Rules)
    """What the workspace file says that follows from events."""
    products: Mapping[str, Product] = field(default_factory=dict)
    """The catalogue."""
    bought: Sequence[Interest] = ()
    """What the lead bought before."""
    tasks: dict[str, TaskOfLead] = field(default_factory=dict)
    handed: Handed | None = None
    """How the lead was handed over last."""
    timers: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    """What happens by the clock, in the order in which it does: a heap."""

    def later(self, at: datetime, what: Callable[[], object]) -> None:
        """Let something happen at that moment."""
        self._timed += 1
        heapq.heappush(self.timers, (at, self._timed, what))

    _timed: int = 0
