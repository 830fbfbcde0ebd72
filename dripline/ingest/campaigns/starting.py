"""Starting a campaign, stopping it for a while, letting it go on, and giving it up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row, select

from dripline.ingest.audience import BadAudience, find_audience, read_audience
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.plan import Plan
from dripline.language.workspace import Workspace
from dripline.store.audit import record_act
from dripline.store.campaigns import add_campaign, change_campaign, load_campaign, want_move
from dripline.store.house import open_house
from dripline.store.plans import load_plan
from dripline.store.schema import journeys

MOST_TESTERS = 100_000
"""Leads that a test group may have."""
_TRIGGER = re.compile(r"\btrigger\.[a-z_]")


@dataclass(frozen=True)
class Wanted:
    """What a campaign is to be. `audience` is a segment's name or a condition over `lead`."""

    journey: str
    audience: str
    name: str | None = None
    per_hour: float | None = None
    test: int = 0
    """Leads that go first; the others wait until a person lets them follow."""
    holdout: float = 0.0
    """The part of the audience, in percent, that gets nothing, for comparison."""


def start_campaign(
    connection: Connection, workspace: Workspace, wanted: Wanted, machine_now: datetime, by: str | None
) -> str:
    """Let the audience begin to enter; the campaign's id. Refused: unknown journey (404), what cannot be (422)."""
    plan = enterable(connection, wanted.journey)
    _check(workspace, plan, wanted)
    now = open_house(connection).clock.to_house(machine_now)
    campaign_id = str(uuid_utils.uuid7())
    name = wanted.name or f"{wanted.journey} {now.astimezone(workspace.zone):%Y-%m-%d %H:%M}"
    row = {
        "id": campaign_id,
        "name": name,
        "journey": wanted.journey,
        "audience": wanted.audience.strip(),
        "state": "running",
        "own_zone": False,
        "per_hour": wanted.per_hour,
        "test": wanted.test,
        "holdout": wanted.holdout,
        "created_at": now,
        "created_by": by,
        "look_at": now,
        "places": 1.0,
        "moved_at": machine_now,
    }
    add_campaign(connection, row)
    record_act(
        connection, "campaign-started", by, None, machine_now, campaign=campaign_id, journey=wanted.journey
    )
    return campaign_id


def count_audience(connection: Connection, workspace: Workspace, wanted: Wanted) -> int:
    """How many leads the audience has now. Refused like the campaign itself."""
    _check(workspace, enterable(connection, wanted.journey), wanted)
    number, after = 0, None
    while True:
        found = find_audience(connection, workspace, wanted.audience, after, 1_000)
        number += len(found)
        if len(found) < 1_000:
            return number
        after = found[-1]


def enterable(connection: Connection, journey: str) -> Plan:
    """The plan by which leads enter the journey. Refused: there is no such one (404)."""
    query = select(journeys.c.plan_hash).where(journeys.c.id == journey, journeys.c.retired_at.is_(None))
    plan_hash = connection.execute(query).scalar_one_or_none()
    if plan_hash is None:
        raise Refused(404, "unknown-journey", "No journey of that id is published.")
    return load_plan(connection, plan_hash)


def _check(workspace: Workspace, plan: Plan, wanted: Wanted) -> None:
    errors = []
    try:
        read_audience(workspace, wanted.audience)
    except BadAudience as problem:
        errors.append(FieldError("audience", f"cannot be asked: {problem}"))
    if wanted.per_hour is not None and not 0 < wanted.per_hour <= 10_000_000:
        errors.append(FieldError("per_hour", "must be above 0 and at most 10,000,000"))
    if not 0 <= wanted.test <= MOST_TESTERS:
        errors.append(FieldError("test", f"must be between 0 and {MOST_TESTERS:,}"))
    if not 0 <= wanted.holdout < 100:
        errors.append(FieldError("holdout", "must be at least 0 and below 100"))
    if _TRIGGER.search(plan.model_dump_json()):
        message = "must be one that reads nothing of `trigger`: a campaign lets leads in without an event"
        errors.append(FieldError("journey", message))
    if errors:
        raise invalid(errors)


def pause_campaign(
    connection: Connection, campaign_id: str, machine_now: datetime, by: str | None, why: str | None
) -> Row[Any]:
    """Let nobody in any more until it is resumed; who was let in goes on. Refused where it has ended (409)."""
    return _change(connection, campaign_id, "paused", ("running", "tested"), machine_now, by, why)


def resume_campaign(
    connection: Connection, campaign_id: str, machine_now: datetime, by: str | None, why: str | None = None
) -> Row[Any]:
    """Let it go on: after a pause where it was, after its test group with all others."""
    return _change(connection, campaign_id, "running", ("paused", "tested"), machine_now, by, why)


def cancel_campaign(
    connection: Connection, campaign_id: str, machine_now: datetime, by: str | None, why: str | None
) -> Row[Any]:
    """Let nobody in any more, for good; who was let in goes on."""
    before = ("running", "tested", "paused")
    return _change(connection, campaign_id, "cancelled", before, machine_now, by, why)


_ACTS = {"paused": "campaign-paused", "running": "campaign-resumed", "cancelled": "campaign-cancelled"}


def _change(
    connection: Connection,
    campaign_id: str,
    state: str,
    before: tuple[str, ...],
    machine_now: datetime,
    by: str | None,
    why: str | None,
) -> Row[Any]:
    row = load_campaign(connection, campaign_id, lock=True)
    if row is None:
        raise unknown_campaign()
    if row.state == state:
        return row
    if row.state not in before:
        raise Refused(409, "campaign-over", f"The campaign is {row.state}.")
    now = open_house(connection).clock.to_house(machine_now)
    values: dict[str, Any] = {"state": state, "paused_at": None, "pause_reason": None}
    if state == "paused":
        values = {"state": state, "paused_at": now, "pause_reason": why}
    elif state == "cancelled":
        values |= {"finished_at": now, "looking_at": None, "look_at": None}
    else:
        values |= {"places": 0.0, "moved_at": machine_now}
        if row.state == "tested":
            values["released_at"] = now
    change_campaign(connection, campaign_id, **values)
    if state == "running":
        want_move(connection, campaign_id)
    record_act(connection, _ACTS[state], by, why, machine_now, campaign=campaign_id, journey=row.journey)
    changed = load_campaign(connection, campaign_id)
    assert changed is not None
    return changed


def unknown_campaign() -> Refused:
    """What is said of a campaign that is not there."""
    return Refused(404, "unknown-campaign", "There is no such campaign.")
