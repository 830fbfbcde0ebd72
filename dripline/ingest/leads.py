"""Leads: found by any of their identities, made where nobody has them, changed, and what that sets going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row

from dripline.ingest.agreeing import log_changes
from dripline.ingest.change import LeadChange
from dripline.ingest.identity import Reference, resolve, several_leads
from dripline.ingest.recording import record
from dripline.ingest.refusal import FieldError, Refused, erased_lead, unknown_lead
from dripline.ingest.touches import touch
from dripline.store.events import Event
from dripline.store.leads import (
    IDENTIFYING,
    Identity,
    add_lead,
    change_lead,
    claim,
    give_up,
    identity_of,
    lock_survivor,
    read_lead,
)

_RACES = 5
"""Times that an upsert looks again after somebody else took an identity under its nose."""


@dataclass(frozen=True)
class Upserted:
    """What became of an upsert. `changed` names what is different now; `runs` were started or woken by it."""

    lead_id: str
    created: bool
    changed: tuple[str, ...]
    runs: tuple[str, ...]


class _Raced(Exception):
    """Another transaction took one of the identities first."""


def upsert(connection: Connection, change: LeadChange, now: datetime, machine_now: datetime) -> Upserted:
    """Make or change the lead that is meant, and emit `lead.created` or `lead.updated`.

    Raises Refused: unknown id (404), identities of several leads (409), erased (410).
    """
    for _ in range(_RACES):
        try:
            with connection.begin_nested():
                return _upsert_once(connection, change, now, machine_now)
        except _Raced:
            continue
    raise Refused(409, "busy", "Others are changing this lead at the same moment. Try again.")


def _upsert_once(
    connection: Connection, change: LeadChange, now: datetime, machine_now: datetime
) -> Upserted:
    lead_id = _meant(connection, change)
    if lead_id is None:
        return _create(connection, change, now, machine_now)
    lead = lock_survivor(connection, lead_id)
    if lead is None:
        raise unknown_lead()
    if lead.erased_at is not None:
        raise erased_lead()
    return _update(connection, lead, change, now, machine_now)


def _meant(connection: Connection, change: LeadChange) -> str | None:
    reference = Reference((change.id,) if change.id else (), change.identities)
    if change.id and read_lead(connection, change.id) is None:
        raise unknown_lead()  # an identity that is known must not make up for an id that is not
    try:
        return resolve(connection, reference)
    except Refused as refusal:
        if refusal.code == "unknown-lead" and change.id is None:
            return None
        raise


def _create(connection: Connection, change: LeadChange, now: datetime, machine_now: datetime) -> Upserted:
    if not change.identities:
        raise Refused(
            422, "invalid", "A lead needs an identity.", [FieldError("", "needs external_id, email or phone")]
        )
    lead_id = str(uuid_utils.uuid7())
    after = change.applied_to({})
    add_lead(connection, lead_id, after, now)
    if change.touch:
        change_lead(connection, lead_id, _touched(connection, lead_id, {}, change, now), now)
    if not claim(connection, lead_id, change.identities, now):
        raise _Raced
    event = _event(lead_id, "lead.created", {}, change, now)
    log_changes(connection, lead_id, {}, after, change.source, now, event.id)
    recorded = record(connection, event, machine_now)
    return Upserted(lead_id, True, (), recorded.started + recorded.woken)


def _update(
    connection: Connection, lead: Row[Any], change: LeadChange, now: datetime, machine_now: datetime
) -> Upserted:
    before: dict[str, Any] = {**lead._mapping}
    _refuse_another_external_id(before, change)
    after = change.applied_to(before)
    touched = _touched(connection, lead.id, before, change, now)
    changed = tuple(sorted({*change.differences(before, after), *touched}))
    if not changed:
        log_changes(connection, lead.id, before, after, change.source, now, said=change.consent)
        return Upserted(lead.id, False, (), ())
    after |= touched
    change_lead(connection, lead.id, after, now)
    _exchange_identities(connection, lead.id, before, after, now)
    event = _event(lead.id, "lead.updated", {"changed": list(changed)}, change, now)
    log_changes(connection, lead.id, before, after, change.source, now, event.id, change.consent)
    recorded = record(connection, event, machine_now)
    return Upserted(lead.id, False, changed, recorded.started + recorded.woken)


def _touched(
    connection: Connection, lead_id: str, before: Mapping[str, Any], change: LeadChange, now: datetime
) -> dict[str, Any]:
    if change.touch is None:
        return {}
    return touch(connection, lead_id, before, change.touch, now, once=change.historical)


def _refuse_another_external_id(before: Mapping[str, Any], change: LeadChange) -> None:
    """Found by an address, yet called by another id: that is another person, unless its own id was given."""
    new = change.columns.get("external_id")
    if change.id is None and new and before["external_id"] not in (None, new):
        raise Refused(
            409,
            "another-external-id",
            "The lead with this address has another external_id; nothing was changed."
            " To change it, give Dripline's own id as well.",
            [FieldError("external_id", "differs from the one that this lead has")],
        )


def _exchange_identities(
    connection: Connection, lead_id: str, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> None:
    old, new = _identities(before), _identities(after)
    give_up(connection, lead_id, old - new)
    taken = new - old
    if not claim(connection, lead_id, taken, now):
        raise _Raced


def _identities(values: Mapping[str, Any]) -> set[Identity]:
    return {identity_of(kind, values[kind]) for kind in IDENTIFYING if values.get(kind)}


def _event(
    lead_id: str, name: str, properties: Mapping[str, Any], change: LeadChange, now: datetime
) -> Event:
    return Event(
        id=str(uuid_utils.uuid7()),
        lead_id=lead_id,
        name=name,
        properties=properties,
        received_at=now,
        historical=change.historical,
    )


__all__ = ["Upserted", "several_leads", "upsert"]
