"""What a turn does to its lead and to the lead's other journeys, in the turn's own transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row, select, update

from dripline.engine import effects
from dripline.engine.effects import (
    TOO_LONG,
    Assigned,
    AssignLead,
    EnrollLead,
    Outcome,
    UnenrollLead,
    Updated,
    UpdateLead,
)
from dripline.engine.entering import MAX_DEPTH
from dripline.ingest.assigning import Occasion, hand_over
from dripline.ingest.entering import let_in
from dripline.ingest.recording import record
from dripline.ingest.scoring.following import add_points, set_score
from dripline.ingest.stages import StageChange, follow_stage
from dripline.store import runs, schema
from dripline.store.database import lock_run
from dripline.store.events import Event
from dripline.store.leads import change_lead, facts, load_lead
from dripline.store.wakes import want_wake


class Changes:
    """The changes that one turn of `run` makes. The run's lead is locked."""

    def __init__(self, connection: Connection, run: Row[Any], machine_now: datetime) -> None:
        self._connection = connection
        self._run = run
        self._machine_now = machine_now
        self.told: list[effects.Event] = []
        """The events that the turn itself caused, which it has looked at already."""

    def update(self, effect: UpdateLead) -> Updated | None:
        """Change the lead, and let everybody know who listens."""
        run = self._run
        if run.depth >= MAX_DEPTH:
            return None
        query = select(schema.leads).where(schema.leads.c.id == run.lead_id)
        lead = self._connection.execute(query).one()
        values = dict(effect.columns)
        if "stage" in values:
            values["stage_at"] = effect.at
        if effect.attributes:
            attributes = {**(lead.attributes or {}), **effect.attributes}
            values["attributes"] = {name: value for name, value in attributes.items() if value is not None}
        event = self._event("lead.updated", {"changed": list(effect.changed)}, effect.at)
        if "score" in values and self._give(lead, effect, event.id):
            del values["score"]  # it follows from the points, as the event is recorded
        change_lead(self._connection, run.lead_id, values, max(lead.updated_at, effect.at))
        record(self._connection, event, self._machine_now)
        made = [event]
        if "stage" in effect.columns:
            change = StageChange(lead.stage, effect.columns["stage"], "journey", effect.stage_reason, run=run)
            made += follow_stage(self._connection, lead.id, change, effect.at, self._machine_now)
        told, *more = [effects.Event(one.id, one.name, one.properties, effect.at) for one in made]
        self.told += [told, *more]
        return Updated(facts(self._connection.execute(query).one()), told, tuple(more))

    def assign(self, effect: AssignLead) -> Assigned | None:
        """Give the lead an owner, or find that nobody can be had."""
        run = self._run
        if run.depth >= MAX_DEPTH:
            return None
        lead = load_lead(self._connection, run.lead_id)
        occasion = Occasion(effect.at, self._machine_now, run, effect.step, effect.visit)
        choice, made = hand_over(self._connection, lead, effect.wanted, effect.react, occasion)
        told = [effects.Event(one.id, one.name, one.properties, effect.at) for one in made]
        self.told += told
        return Assigned(choice, facts(load_lead(self._connection, run.lead_id)), tuple(told))

    def _give(self, lead: Row[Any], effect: UpdateLead, event_id: str) -> bool:
        """Keep the points that the step gives, where leads are scored."""
        by = f"journey:{self._run.journey}"[:128]
        if effect.points is not None:
            return add_points(self._connection, lead, by, effect.points, effect.at, event_id)
        return set_score(self._connection, lead, by, effect.columns["score"], effect.at, event_id)

    def enroll(self, effect: EnrollLead) -> str | None:
        """Let the lead enter the journey; why not, where it may not."""
        if self._run.depth >= MAX_DEPTH:
            return TOO_LONG
        lead = self._connection.execute(
            select(schema.leads).where(schema.leads.c.id == self._run.lead_id)
        ).one()
        event = self._event("journey.enrolled", {"journey": effect.journey}, effect.at)
        return let_in(self._connection, lead, effect.journey, event, self._machine_now)

    def unenroll(self, effect: UnenrollLead) -> int:
        """End the lead's open runs of the journey; how many there were."""
        open_ones = self._connection.execute(
            select(schema.runs.c.id)
            .where(
                schema.runs.c.lead_id == self._run.lead_id,
                schema.runs.c.journey == effect.journey,
                schema.runs.c.ended_at.is_(None),
                schema.runs.c.id != self._run.id,
            )
            .order_by(schema.runs.c.id)
        ).scalars()
        ended = [self._end(run_id, effect.at) for run_id in list(open_ones)]
        want_wake(self._connection, ended, self._machine_now)
        return len(ended)

    def _end(self, run_id: str, at: datetime) -> str:
        row = lock_run(self._connection, run_id)
        assert row is not None  # runs are never deleted, and the lead is locked
        at = max(at, row.last_at)
        outcome = Outcome("unenrolled", f"by {self._run.journey}")
        self._connection.execute(
            update(schema.runs)
            .where(schema.runs.c.id == run_id)
            .values(**runs.ended(outcome, at), last_at=at, wait=None, until=None, parked_reason=None)
        )
        detail = {"outcome": outcome.kind, "reason": outcome.reason}
        runs.note(self._connection, run_id, row.turn, at, row.step, "ended", detail)
        return run_id

    def _event(self, name: str, properties: dict[str, Any], at: datetime) -> Event:
        return Event(
            id=str(uuid_utils.uuid7()),
            lead_id=self._run.lead_id,
            name=name,
            properties=properties,
            received_at=at,
            depth=self._run.depth + 1,
        )
