"""Where a run comes to stand when its journey is edited under it.

`land` is what the preview counts and what the move writes: the very same decision, taken twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from dripline.engine.effects import Outcome, RunState
from dripline.engine.steps import landmark
from dripline.language.plan import Plan
from dripline.publishing.content import DOES, TELLS, kind
from dripline.publishing.matching import Matching, match
from dripline.publishing.reads import gives, needs
from dripline.publishing.resting import Rest, rest_on
from dripline.publishing.ways import Ways

HazardKind = Literal["again", "never", "lacks"]


@dataclass(frozen=True)
class Hazard:
    """What a move would do that nobody has said: a step done `again`, `never` done, or a name that it `lacks`."""

    kind: HazardKind
    what: str
    """The step's id, or the name."""


@dataclass(frozen=True)
class Landing:
    """A run after its move. `state.step` None: it has not begun, or (with an outcome) it ends."""

    state: RunState
    rest: Rest
    """What becomes of its wait."""
    hazards: frozenset[Hazard] = frozenset()

    @property
    def outcome(self) -> Outcome | None:
        """How the run ends by its move, if it does."""
        return self.rest.outcome


@dataclass(frozen=True)
class Stuck:
    """Why a run cannot be moved: its step was taken out, or it waits for an answer that would get lost."""

    reason: Literal["removed", "asking"]
    step: str


@dataclass(frozen=True)
class Change:
    """From one plan of a journey to another."""

    old: Plan
    new: Plan
    said: Mapping[str, str]
    """What somebody said of steps that were taken out: the old id, and where to go on."""

    @cached_property
    def matching(self) -> Matching:
        """Which step is which."""
        return match(self.old, self.new, self.said)

    @cached_property
    def same(self) -> dict[str, str]:
        """The steps that are one and the same: not where somebody said only where to go on."""
        pairs = self.matching.pairs.items()
        return {
            step: now
            for step, now in pairs
            if step not in self.matching.said or self.old.by_id[step].verb == self.new.by_id[now].verb
        }

    @cached_property
    def before(self) -> Ways:
        """The ways through the old plan."""
        return Ways(self.old)

    @cached_property
    def after(self) -> Ways:
        """The ways through the new plan."""
        return Ways(self.new)

    @cached_property
    def _known(self) -> dict[Any, frozenset[Hazard]]:
        return {}

    def hazards(self, state: RunState, landed: RunState, rest: Rest) -> frozenset[Hazard]:
        """What nobody has said of a run that comes to stand there."""
        done = frozenset(step for step, visits in state.visits.items() if visits)
        names = frozenset(state.variables)
        key = (state.step, landed.step, state.wait is None, rest.pending, done, names)
        if key not in self._known:
            self._known[key] = frozenset(self._hazards(state, landed, rest))
        return self._known[key]

    def _hazards(self, state: RunState, landed: RunState, rest: Rest) -> set[Hazard]:
        here, there = state.step or "", landed.step or ""
        old_step = self.old.by_id[here]
        undone = isinstance(old_step, DOES) and (state.wait is None or old_step.verb == "message")
        to_come = self.before.ahead(here) | ({here} if undone else frozenset())
        will_come = self.after.ahead(there) | ({there} if rest.pending else frozenset())
        done = {
            step
            for step, visits in state.visits.items()
            if step in self.old.by_id and visits > (1 if undone and step == here else 0)
        }
        return {
            *(Hazard("again", step) for step in self._again(done - to_come, will_come)),
            *(Hazard("never", step) for step in self._never(to_come - done, will_come)),
            *(Hazard("lacks", name) for name in self._lacking(state, there, will_come)),
        }

    def _again(self, done: set[str], will_come: frozenset[str]) -> set[str]:
        """Steps ahead that the run has done, and that the old plan would not have done again."""
        pairs = self.same
        gone = {kind(self.old.by_id[step]) for step in done if step not in pairs}
        same = {pairs[step] for step in done if step in pairs}
        known = set(pairs.values())
        ahead = {step for step in will_come if isinstance(self.new.by_id[step], DOES)}
        anew = {step for step in ahead - known if kind(self.new.by_id[step]) in gone}
        return (ahead & same) | {step for step in anew if isinstance(self.new.by_id[step], TELLS)}

    def _never(self, to_come: frozenset[str], will_come: frozenset[str]) -> set[str]:
        """Steps that lay ahead, are still in the journey, and lie ahead no more."""
        pairs = self.same
        return {
            step
            for step in to_come
            if isinstance(self.old.by_id[step], TELLS) and step in pairs and pairs[step] not in will_come
        }

    def _lacking(self, state: RunState, there: str, will_come: frozenset[str]) -> set[str]:
        """Names that are read ahead, and are set behind."""
        steps = [self.new.by_id[step] for step in will_come]
        given = {name for step in [*steps, self.new.by_id[there]] for name in gives(step)}
        ever = {name for step in self.new.steps for name in gives(step)}
        needed = {name for step in steps for name in needs(self.new, step)}
        return (needed & ever) - given - state.variables.keys()


def land(change: Change, state: RunState, lead: Mapping[str, Any], now: datetime) -> Landing | Stuck:
    """Where the run comes to stand under the new plan at `now` (or at its own time, if that is later)."""
    at = max(now, state.last_at)
    if state.step is None:
        return Landing(state, Rest(None))
    if state.step not in change.old.by_id:
        return Stuck("removed", state.step)
    target = change.matching.pairs.get(state.step)
    if target is None:
        return Stuck("removed", state.step)
    stood, state = state.step, replace(state, variables=_variables(change, state))
    rest = rest_on(change.old, change.new, target, state, lead, at)
    if rest is None:
        return Stuck("asking", stood)
    there = rest.at_step or target
    landed = replace(
        state,
        step=there,
        wait=rest.wait,
        visits=_visits(change, state, there, rest),
        loops=_loops(change, state, there, rest),
        last_at=at,
    )
    return Landing(landed, rest, frozenset() if rest.outcome else change.hazards(state, landed, rest))


def _visits(change: Change, state: RunState, there: str, rest: Rest) -> dict[str, int]:
    """How often each step was reached. Numbers never get smaller: keys are made from them."""
    visits = dict(state.visits)
    for old, new in change.same.items():
        if old != new and old in state.visits:
            visits[new] = max(visits.get(new, 0), state.visits[old])
    if rest.wait is None:
        return visits
    if there == state.step:  # it is still that visit, and so the answer to it
        return visits | {there: state.visits.get(there, 0)}
    return visits | {there: visits.get(there, 0) + 1}


def _variables(change: Change, state: RunState) -> dict[str, Any]:
    """What the run remembers; when it came to steps (for `since: STEP-ID`) under the ids that they have now."""
    kept = dict(state.variables)
    came = {step: kept.pop(landmark(step)) for step in change.old.by_id if landmark(step) in kept}
    for old, moment in came.items():
        new = change.same.get(old)
        if new is None and old in change.new.by_id:  # the id is another step's now, and that was not reached
            continue
        name = landmark(new or old)
        kept[name] = max(kept.get(name, moment), moment)
    return kept


def _loops(change: Change, state: RunState, there: str, rest: Rest) -> dict[str, Any]:
    """How far the loops are that the run is still in."""
    loops = {}
    for old, how_far in state.loops.items():
        new = change.same.get(old)
        if new is None or change.old.by_id[old].verb != change.new.by_id[new].verb:
            continue
        if there == new or (new in change.after.ahead(there) and there in change.after.ahead(new)):
            loops[new] = how_far
    return {**loops, **rest.loops}
