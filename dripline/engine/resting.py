"""Coming to rest at a step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dripline.engine.effects import Note, Wait
from dripline.engine.moving import Asking, Moving
from dripline.language.plan import Step, WaitForStep


def rest(run: Moving, step: Step, until: datetime | None) -> Asking:
    """Rest at the step until then, or (None) until an event."""
    run.steps_since_wait = 0
    run.state = replace(run.state, wait=Wait(run.at, until))
    detail: dict[str, Any] = {"until": until.isoformat() if until else None}
    if isinstance(step, WaitForStep):
        detail["events"] = list(step.on.events)
    yield Note(run.at, step.id, "waits", detail)
