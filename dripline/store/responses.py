"""How often leads did what a journey waited for, as its runs so far noted it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from dripline.language.plan import Plan, WaitForStep
from dripline.store.schema import runs, step_log

_NOTES = ("accepted", "timeout", "exit", "goal", "ended", "waits")


@dataclass
class Response:
    """Of `chances` waits (of runs, where no step waits for it) so many ended by the event, each after so long."""

    chances: int = 0
    after: list[timedelta] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(1.0, len(self.after) / self.chances) if self.chances else 0.0

    @property
    def mean(self) -> timedelta:
        """How long it took."""
        return sum(self.after, timedelta()) / len(self.after) if self.after else timedelta()


def responses(connection: Connection, plan: Plan) -> dict[str, Response]:
    """By event that the journey waits for, leaves by or hopes for. The control group counts as well."""
    awaited = _awaited(plan)
    anywhere = {name for names in awaited.values() for name in names}
    others = [name for one in plan.exits for name in one.on.events] + list(
        plan.goal.on.events if plan.goal else []
    )
    found = {name: Response() for name in (*anywhere, *others)}
    query = (
        select(
            step_log.c.run_id,
            step_log.c.at,
            step_log.c.step,
            step_log.c.what,
            step_log.c.detail,
            runs.c.started_at,
        )
        .join(runs, runs.c.id == step_log.c.run_id)
        .where(runs.c.journey == plan.journey, step_log.c.what.in_(_NOTES))
        .order_by(step_log.c.run_id, step_log.c.id)
    )
    since: dict[str, datetime] = {}
    for note in connection.execute(query):
        if note.what == "waits":
            since[note.run_id] = note.at
        elif note.what == "ended":
            for name in found.keys() - anywhere:
                found[name].chances += 1
        elif note.what in ("accepted", "timeout"):
            for name in awaited.get(note.step, ()):
                found[name].chances += 1
        name = note.detail.get("event")
        if note.what in ("accepted", "exit", "goal") and name in found:
            counted = note.what == "accepted" or name not in anywhere
            if counted:
                began = since.get(note.run_id, note.started_at) if name in anywhere else note.started_at
                found[name].after.append(max(note.at - began, timedelta()))
    return found


def _awaited(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By step, the events that it waits for."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for step in plan.steps:
        if isinstance(step, WaitForStep):
            found[step.id] = step.on.events
    return found
