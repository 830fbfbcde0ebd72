"""What becomes of the runs of a journey when it is published: told before, by the decision that is taken then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from dripline.engine.effects import RunState
from dripline.publishing.landing import Hazard, Landing, Stuck

Policy = Literal["keep", "move", "exit"]
FateKind = Literal["keeps", "stays", "sooner", "later", "at-once", "goes-on", "begins", "ends", "stuck"]


@dataclass(frozen=True)
class Fate:
    """What becomes of a run."""

    kind: FateKind
    to: str | None = None
    """The step in the new plan at which it stands or goes on; where it ends, why; where it is stuck, the reason."""


@dataclass
class Forecast:
    """The runs by where they stand and what becomes of them."""

    fates: Counter[tuple[str | None, Fate]] = field(default_factory=Counter)
    stuck: Counter[Stuck] = field(default_factory=Counter)
    hazards: Counter[tuple[str | None, Hazard]] = field(default_factory=Counter)
    """How many runs, by where they stand now."""

    @property
    def runs(self) -> int:
        """How many runs are open."""
        return self.fates.total()

    def add(self, step: str | None, fate: Fate, found: Landing | Stuck) -> None:
        """Count a run in that is to be moved."""
        self.fates[step, fate] += 1
        if isinstance(found, Stuck):
            self.stuck[found] += 1
        else:
            self.hazards.update((step, hazard) for hazard in found.hazards)


def fate_of(state: RunState, found: Landing | Stuck) -> Fate:
    """The landing in a word."""
    if isinstance(found, Stuck):
        return Fate("stuck", found.reason)
    if found.outcome is not None:
        return Fate("ends", found.outcome.reason)
    there, wait = found.state.step, found.state.wait
    if there is None:
        return Fate("begins")
    if wait is None or state.wait is None:
        return Fate("goes-on", there)
    if wait.until == state.wait.until:
        return Fate("stays", there)
    if wait.until is not None and wait.until <= found.state.last_at:
        return Fate("at-once", there)
    if wait.until is not None and (state.wait.until is None or wait.until < state.wait.until):
        return Fate("sooner", there)
    return Fate("later", there)
