"""Enrolment: putting a lead into a journey by hand, past its trigger but not past its re-entry rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, select

from dripline.engine.keys import key_of
from dripline.ingest.entering import barred, start
from dripline.ingest.living import lock_living
from dripline.ingest.reading import coerced_properties
from dripline.ingest.recording import record
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.plan import Plan
from dripline.language.workspace import Workspace
from dripline.store.events import Event
from dripline.store.plans import load_plan
from dripline.store.schema import journeys

ENROLLED = "journey.enrolled"
"""The event that an enrolment is recorded as. It is the run's trigger; its properties are the caller's."""


@dataclass(frozen=True)
class Enrolled:
    """The run that an enrolment started."""

    run_id: str
    lead_id: str
    event_id: str


def enrol(
    connection: Connection,
    workspace: Workspace,
    lead_id: str,
    journey: str,
    properties: Mapping[str, Any],
    now: datetime,
    machine_now: datetime,
    event_id: str | None = None,
) -> Enrolled:
    """Start a run of the journey for the lead. Refused: unknown (404), erased (410), paused, barred (409).

    An `event_id` of the caller's enrols once: with it, a repeat is refused (409).
    """
    lead = lock_living(connection, lead_id)
    plan = _enterable(connection, journey)
    known = _known(plan, properties, workspace)
    event = Event(event_id or str(uuid_utils.uuid7()), lead.id, ENROLLED, {**known, "journey": journey}, now)
    if not record(connection, event, machine_now).new:
        raise Refused(409, "not-enrolled", "The lead was enrolled by this before.")
    key = key_of(plan, known)
    why_not = barred(connection, lead, plan, now, key)  # last: the event itself may have let the lead in
    if why_not:
        raise Refused(409, "not-enrolled", f"The lead {why_not}.")
    return Enrolled(start(connection, lead.id, plan, event, machine_now), lead.id, event.id)


def _known(plan: Plan, properties: Mapping[str, Any], workspace: Workspace) -> Mapping[str, Any]:
    if not properties:
        return {}
    if not plan.trigger.on.events:
        raise invalid([FieldError("properties", "must be empty: no event begins this journey")])
    return coerced_properties(plan.trigger.on.events[0], properties, workspace)


def _enterable(connection: Connection, journey: str) -> Plan:
    query = select(journeys.c.plan_hash, journeys.c.paused_at).where(
        journeys.c.id == journey, journeys.c.retired_at.is_(None)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refused(404, "unknown-journey", "No journey of that id is published.")
    if row.paused_at is not None:
        raise Refused(409, "journey-paused", "The journey is paused: nobody enters until it is resumed.")
    return load_plan(connection, row.plan_hash)
