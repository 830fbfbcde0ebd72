"""Leads: found by any of their identities, made where nobody has them, changed, and what that sets going."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection

from dripline.ingest.agreeing import log_changes
from dripline.ingest.change import LeadChange
from dripline.ingest.merging.agreement import log_repeated_refusals
from dripline.ingest.merging.meeting import ANONYMOUS, Met, Raced, meet, take_over
from dripline.ingest.merging.merge import Cause, Times
from dripline.ingest.merging.rules import is_anonymous
from dripline.ingest.readdressing import carried, log_carried, moved_addresses
from dripline.ingest.recording import record
from dripline.ingest.refusal import FieldError, Refused
from dripline.ingest.scoring.following import set_score
from dripline.ingest.stages import StageChange, follow_stage
from dripline.ingest.touches import touch
from dripline.language.scoring import GIVEN_BY
from dripline.store.events import Event, has_event
from dripline.store.leads import (
    IDENTIFYING,
    Identity,
    add_lead,
    change_lead,
    claim,
    give_up,
    identity_of,
    load_lead,
)

_RACES = 5
"""Times that an upsert looks again after somebody else took an identity under its nose."""

_CHANNEL = {"email": "email", "phone": "sms"}
"""The channel by which an address is written to."""


@dataclass(frozen=True)
class Upserted:
    """What became of an upsert. `changed` names what is different now; `runs` were started or woken by it."""

    lead_id: str
    created: bool
    changed: tuple[str, ...]
    runs: tuple[str, ...]
    new_person: bool = False
    """Whether nobody knew this person before: `lead.created` was recorded. An anonymous visitor is nobody yet."""
    merged: tuple[str, ...] = ()
    """The leads that turned out to be this one."""
    apart: tuple[str, ...] = ()
    """The kinds of identities that were said, and stay with another lead."""


def upsert(
    connection: Connection,
    change: LeadChange,
    now: datetime,
    machine_now: datetime,
    *,
    strict: bool = True,
    cause: Cause = "identify",
) -> Upserted:
    """Make or change the lead that is meant, merging those that turn out to be one, and emit what is so now.

    `lead.created` tells of a person whom nobody knew, `lead.updated` of a change. Where the identities contradict
    each other, `strict` refuses; else what names a person best decides, and the rest stays where it is. Raises
    Refused: unknown id (404), identities of several leads (409), erased (410).
    """
    for _ in range(_RACES):
        try:
            with connection.begin_nested():
                return _upsert_once(connection, change, Times(now, machine_now), strict, cause)
        except Raced:
            continue
    raise Refused(409, "busy", "Others are changing this lead at the same moment. Try again.")


def _upsert_once(
    connection: Connection, change: LeadChange, times: Times, strict: bool, cause: Cause
) -> Upserted:
    met = meet(
        connection,
        change.identities,
        times,
        lead_id=change.id,
        cause=cause,
        strict=strict,
        historical=change.historical,
    )
    meant = _as_meant(change, met)
    done = (_create if met.lead is None else _update)(connection, meant, met, times)
    return replace(done, merged=met.merged, apart=tuple(sorted(one.kind for one in met.apart)))


def _as_meant(change: LeadChange, met: Met) -> LeadChange:
    """The change without what is another lead's, and without what only names this one.

    An address that a lead has besides the one that it is written to does not take that one's place by being named.
    And who agrees to messages to one address has not agreed to messages to another.
    """
    columns = dict(change.columns)
    for kind in IDENTIFYING:
        one = identity_of(kind, columns[kind]) if columns.get(kind) else None
        if one is not None and (one in met.apart or _only_names(one, change, met)):
            del columns[kind]
    gone = {_CHANNEL[kind] for kind in set(change.columns) - set(columns) if kind in _CHANNEL}
    if met.merged and change.source.kind == "import" and met.lead is not None:  # nor does a file undo a no
        gone |= {channel for channel, agreed in met.lead.consent.items() if agreed is False}
    consent = {channel: said for channel, said in change.consent.items() if not (said and channel in gone)}
    return replace(change, columns=columns, consent=consent)


def _only_names(one: Identity, change: LeadChange, met: Met) -> bool:
    present = getattr(met.lead, one.kind) if met.lead is not None else None
    another = present and identity_of(one.kind, present) != one
    return bool(another and one in met.found and change.id is None)


def _create(connection: Connection, change: LeadChange, met: Met, times: Times) -> Upserted:
    if not change.identities:
        needs = "needs external_id, email, phone or anonymous_id"
        raise Refused(422, "invalid", "A lead needs an identity.", [FieldError("", needs)])
    lead_id = str(uuid_utils.uuid7())
    after = change.applied_to({})
    after["stage_at"] = times.house if after["stage"] else None
    add_lead(connection, lead_id, after, times.house)
    if change.touch:
        change_lead(connection, lead_id, _touched(connection, lead_id, {}, change, times.house), times.house)
    _claim(connection, lead_id, change.identities, met, times.house)
    if is_anonymous(after):
        log_changes(connection, lead_id, {}, after, change.source, times.house)
        return Upserted(lead_id, True, (), ())
    if not change.historical:
        _follow_stage(connection, lead_id, {}, after, change, times, silent=True)
    event = _event(lead_id, "lead.created", {}, change, times.house)
    if after["score"]:
        _set_score(connection, lead_id, change, times.house, event.id)
    log_changes(connection, lead_id, {}, after, change.source, times.house, event.id)
    recorded = record(connection, event, times.machine)
    return Upserted(lead_id, True, (), recorded.started + recorded.woken, new_person=True)


def _update(connection: Connection, change: LeadChange, met: Met, times: Times) -> Upserted:
    assert met.lead is not None
    lead_id, before = met.lead.id, {**met.lead._mapping}
    before_all = before
    after = change.applied_to(before)
    after["consent"] = carried(before, after, change)
    touched = _touched(connection, lead_id, before, change, times.house)
    changed = tuple(sorted({*change.differences(before, after), *touched}))
    _exchange_identities(connection, before, after, change, met, times.house)
    log_repeated_refusals(
        connection, lead_id, before, change.consent, change.topics, change.source, times.house
    )
    if not changed:
        log_changes(connection, lead_id, before, after, change.source, times.house, said=change.consent)
        return Upserted(lead_id, False, (), ())
    after |= touched
    if "stage" in changed:
        after["stage_at"] = times.house
    change_lead(connection, lead_id, after, times.house)
    if (
        is_anonymous(before)
        and not is_anonymous(after)
        and not has_event(connection, lead_id, "lead.created")
    ):
        event = _event(lead_id, "lead.created", {}, change, times.house)
    else:
        event = _event(lead_id, "lead.updated", {"changed": list(changed)}, change, times.house)
    if "score" in changed:
        _set_score(connection, lead_id, change, times.house, event.id)
    said = set(change.consent) - set(moved_addresses(before, after))  # of those the next line tells
    before = log_carried(connection, lead_id, before, after, change, times.house, event.id)
    log_changes(connection, lead_id, before, after, change.source, times.house, event.id, said)
    recorded = record(connection, event, times.machine)
    if event.name != "lead.created" or not change.historical:
        _follow_stage(
            connection, lead_id, before_all, after, change, times, silent=event.name == "lead.created"
        )
    runs = recorded.started + recorded.woken
    return Upserted(lead_id, False, changed, runs, new_person=event.name == "lead.created")


def _set_score(
    connection: Connection, lead_id: str, change: LeadChange, now: datetime, event_id: str
) -> None:
    lead = load_lead(connection, lead_id)
    by = change.source.kind if change.source.kind in GIVEN_BY else "api"
    set_score(connection, lead, by, lead.score, now, event_id)


def _follow_stage(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    change: LeadChange,
    times: Times,
    *,
    silent: bool,
) -> None:
    stage = StageChange(
        before.get("stage"),
        after["stage"],
        change.source.kind,
        change.stage_reason,
        historical=change.historical,
        silent=silent,
    )
    follow_stage(connection, lead_id, stage, times.house, times.machine)


def _touched(
    connection: Connection, lead_id: str, before: Mapping[str, Any], change: LeadChange, now: datetime
) -> dict[str, Any]:
    if change.touch is None:
        return {}
    return touch(connection, lead_id, before, change.touch, now, once=change.historical)


def _exchange_identities(
    connection: Connection,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    change: LeadChange,
    met: Met,
    now: datetime,
) -> None:
    old, new = _identities(before), _identities(after)
    give_up(connection, before["id"], old - new)
    anonymous = {one for one in change.identities if one.kind == ANONYMOUS}
    _claim(connection, before["id"], (new - old) | anonymous, met, now)


def _claim(connection: Connection, lead_id: str, wanted: Iterable[Identity], met: Met, now: datetime) -> None:
    wanted = list(wanted)
    for one in wanted:
        if one.kind == ANONYMOUS and met.browser_of not in (None, lead_id):
            take_over(connection, lead_id, one, met.browser_of, now)
    if not claim(connection, lead_id, wanted, now):
        raise Raced


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


__all__ = ["Upserted", "upsert"]
