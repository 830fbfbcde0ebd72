"""Handing leads over to people: chosen, kept with the reasons, told to whoever listens. All under the lead's lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row

from dripline.engine.picking import Choice, Handover, How, Looked, Standing, pick
from dripline.engine.working import after_work
from dripline.ingest.recording import record
from dripline.language.plan import Duration
from dripline.store.assignments import (
    add_assignment,
    did_not_react,
    end_assignments,
    lock_team,
    open_assignment,
    records_of,
)
from dripline.store.events import Event
from dripline.store.leads import change_lead
from dripline.store.tasks import pass_on


@dataclass(frozen=True)
class Occasion:
    """When, and by what, a lead is handed over."""

    at: datetime
    machine_now: datetime
    run: Row[Any] | None = None
    step: str | None = None
    visit: int | None = None
    because: How | None = None
    """How it is called, where it is not called after the rule: `by-hand`, `no-reaction`."""


def hand_over(
    connection: Connection, lead: Row[Any], wanted: Handover, react: Duration | None, occasion: Occasion
) -> tuple[Choice, tuple[Event, ...]]:
    """Choose who gets the lead (locked), make it so, and tell of it."""
    at = occasion.at
    wanted = replace(
        wanted,
        language=lead.locale,
        owner=lead.owner,
        not_again=wanted.not_again | did_not_react(connection, lead.id, at),
    )
    choice = choose(connection, wanted, at)
    if choice.person is not None and occasion.because is not None:
        choice = replace(choice, how="fallback" if choice.how == "fallback" else occasion.because)
    if choice.person is None:
        _keep(connection, lead, wanted, choice, None, None, occasion)
        return choice, ()
    renewed = "renewed" if lead.owner == choice.person else "reassigned"
    ended = "no-reaction" if occasion.because == "no-reaction" else renewed
    end_assignments(connection, lead.id, at, ended)
    _keep(connection, lead, wanted, choice, react, _react_by(wanted, choice, react, at), occasion)
    return choice, _tell(connection, lead, wanted, choice, occasion)


def choose(connection: Connection, wanted: Handover, at: datetime) -> Choice:
    """Who gets the lead, as everybody stands now; nobody else chooses of the team meanwhile."""
    if wanted.team is not None:
        lock_team(connection, wanted.team)
    names = {*wanted.of.people, *filter(None, (wanted.of.fallback, wanted.owner))}
    known = records_of(connection, names, at, wanted.team)
    standings = {
        name: Standing(one.open, one.given, one.won, one.last_given, one.turn, one.away)
        for name, one in known.items()
    }
    return pick(wanted, standings, at)


def _react_by(wanted: Handover, choice: Choice, react: Duration | None, at: datetime) -> datetime | None:
    """By when there must be a reaction; a fallback, and one who was named, has nobody behind them."""
    if react is None or wanted.team is None or choice.how == "fallback":
        return None
    return after_work(at, react, wanted.people.get(choice.person or ""), wanted.timezone)


def _keep(
    connection: Connection,
    lead: Row[Any],
    wanted: Handover,
    choice: Choice,
    react: Duration | None,
    react_by: datetime | None,
    occasion: Occasion,
) -> None:
    terms = {"by": wanted.by, "react": react.model_dump(mode="json") if react else None}
    run = occasion.run
    add_assignment(
        connection,
        {
            "lead_id": lead.id,
            "person": choice.person,
            "team": wanted.team,
            "at": occasion.at,
            "how": choice.how,
            "why": [{"person": one.person, "taken": one.taken, "why": one.why} for one in choice.looked],
            "terms": terms,
            "run_id": run.id if run else None,
            "journey": run.journey if run else None,
            "step": occasion.step,
            "visit": occasion.visit,
            "react_by": react_by,
            "ended_at": None if choice.person else occasion.at,
        },
    )


def _tell(
    connection: Connection, lead: Row[Any], wanted: Handover, choice: Choice, occasion: Occasion
) -> tuple[Event, ...]:
    person = choice.person
    assert person is not None  # the caller has seen it
    told: list[tuple[str, dict[str, Any]]] = []
    if lead.owner != person:
        values = {"owner": person, "owner_at": occasion.at}
        change_lead(connection, lead.id, values, max(lead.updated_at, occasion.at))
        if lead.owner:
            pass_on(connection, lead.id, lead.owner, person)
        told.append(("lead.updated", {"changed": ["owner"]}))
    said = {"person": person, "team": wanted.team, "how": choice.how}
    told.append(("lead.assigned", {name: value for name, value in said.items() if value is not None}))
    depth = occasion.run.depth + 1 if occasion.run else 0
    events = tuple(
        Event(str(uuid_utils.uuid7()), lead.id, name, properties, occasion.at, depth=depth)
        for name, properties in told
    )
    for event in events:
        record(connection, event, occasion.machine_now)
    return events


def keeps(connection: Connection, lead_id: str, person: str) -> bool:
    """Whether that person has the lead by an assignment that is not over."""
    row = open_assignment(connection, lead_id)
    return row is not None and row.person == person


__all__ = ["Choice", "Looked", "Occasion", "choose", "hand_over", "keeps"]
