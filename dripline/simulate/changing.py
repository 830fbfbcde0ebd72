"""What turns do to the lead and to its other journeys, in the made-up world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dripline.engine.effects import (
    TOO_LONG,
    EnrollLead,
    Event,
    Outcome,
    UnenrollLead,
    Updated,
    UpdateLead,
)
from dripline.engine.entering import MAX_DEPTH
from dripline.simulate.recording import ENROLLED, Recording
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry


class Changes:
    """Answers the effects that change something outside their own run."""

    def __init__(self, state: State, recording: Recording) -> None:
        self._state = state
        self._recording = recording

    def update(self, run: Run, wanted: UpdateLead) -> Updated | None:
        """Change the lead, and let everybody know who listens."""
        if run.depth >= MAX_DEPTH:
            return None
        values = {**wanted.columns, **wanted.attributes}
        before, kept, said = self._state.lead, dict(values), dict(values)
        if "score" in kept and self._give(run, wanted):
            del kept["score"]  # it follows from the points, as the event is recorded
            said["score"] = wanted.columns["score"] if wanted.points is None else wanted.points
        self._state.lead = {**before, **kept}
        self._deed(run, wanted, "update", ", ".join(wanted.changed), said)
        made = [self._recording.record("lead.updated", {"changed": list(wanted.changed)}, run.depth + 1)]
        made += self._recording.follow_stage(
            before.get("stage"), wanted.at, wanted.stage_reason, run.depth + 1
        )
        told, *more = [Event(one.id, one.name, one.properties, wanted.at) for one in made]
        return Updated(self._state.lead, told, tuple(more))

    def _give(self, run: Run, wanted: UpdateLead) -> bool:
        scores, by = self._recording.scores, f"journey:{run.plan.journey}"
        if wanted.points is not None:
            return scores.add(by, wanted.points, wanted.at)
        return scores.set(by, wanted.columns["score"], wanted.at)

    def enroll(self, run: Run, wanted: EnrollLead) -> str | None:
        """Let the lead enter the journey; why not, where it may not."""
        if run.depth >= MAX_DEPTH:
            return TOO_LONG
        plan = self._state.plans.get(wanted.journey)
        why_not: str | None = "the journey is not published"
        if plan is not None:
            barred = self._recording.let_in(plan, ENROLLED, {"journey": wanted.journey}, run.depth + 1)
            why_not = barred and f"the lead {barred}"
        self._deed(run, wanted, "enroll", wanted.journey, {"reason": why_not or ""})
        return why_not

    def unenroll(self, run: Run, wanted: UnenrollLead) -> int:
        """End the lead's open runs of the journey; how many there were."""
        others = [
            other
            for other in self._state.runs
            if other.plan.journey == wanted.journey and other.outcome is None and other is not run
        ]
        for other in others:
            at = max(wanted.at, other.state.last_at)
            other.outcome = Outcome("unenrolled", f"by {run.plan.journey}")
            other.state = replace(other.state, wait=None, last_at=at)
            other.parked = None
            detail = {"outcome": other.outcome.kind, "reason": other.outcome.reason}
            self._state.timeline.append(
                Entry(at, "step", "ended", wanted.journey, other.id, other.state.step, detail)
            )
        self._deed(run, wanted, "unenroll", wanted.journey, {})
        return len(others)

    def _deed(
        self,
        run: Run,
        wanted: UpdateLead | EnrollLead | UnenrollLead,
        what: str,
        name: str,
        facts: Mapping[str, Any],
    ) -> None:
        self._state.timeline.append(
            Entry(wanted.at, "deed", what, run.plan.journey, run.id, detail={"name": name, **facts})
        )
