"""Two leads become one: what each had follows, and nothing that either refused is allowed by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import uuid_utils
from sqlalchemy import Connection, Row, select

from dripline.ingest.merging.agreement import log_agreement
from dripline.ingest.merging.owners import bring_together
from dripline.ingest.merging.rivals import settle
from dripline.ingest.merging.rules import QUIET, RULES, Side, goes_on_first, united
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused, erased_lead, unknown_lead
from dripline.store.audit import record_act
from dripline.store.events import Event, in_order
from dripline.store.leads import change_lead, lock_leads, survivors
from dripline.store.merges import log_merge, move_all, point_to
from dripline.store.schema import events

Cause = Literal["identify", "alias", "api", "command"]
"""What made two leads one: `identify` and `alias` are requests that named both, the others somebody's decision."""

BY_ITSELF: tuple[Cause, ...] = ("identify", "alias")


@dataclass(frozen=True)
class Times:
    """When it is done: what the house's clock shows, and the machine's."""

    house: datetime
    machine: datetime


@dataclass(frozen=True)
class Merged:
    """What became of a merge: who goes on, what is different of it now, and which runs ended for another."""

    id: str
    winner_id: str
    loser_id: str
    changed: tuple[str, ...]
    ended: tuple[str, ...]
    held_out: tuple[str, ...]
    moved: Mapping[str, int]
    before: Mapping[str, Any]
    """The columns of the one that goes on, as they were; `made`: as they are now."""
    made: Mapping[str, Any]


def merge(
    connection: Connection,
    one_id: str,
    other_id: str,
    cause: Cause,
    times: Times,
    *,
    into: str | None = None,
    by: str | None = None,
    why: str | None = None,
    historical: bool = False,
) -> Merged:
    """Make one lead of two, in the caller's transaction; it is the same whichever is named first.

    The known one goes on, else the older; or `into`, one of the two ids. Locks both, in id order. Raises
    Refused: unknown (404), the same lead already (409), erased (410).
    """
    winner, loser = both(connection, one_id, other_id, into)
    made, before = united(winner, loser), dict(winner.values)
    winner_id, loser_id, merge_id = winner["id"], loser["id"], str(uuid_utils.uuid7())
    at = max(in_order(connection, one, times.house) for one in (winner_id, loser_id))
    ended, held_out = settle(connection, (winner_id, loser_id), at, times.machine)
    hands = bring_together(connection, winner, loser, made, ended, at)
    moved = move_all(connection, loser_id, winner_id)
    point_to(connection, loser_id, winner_id)
    change_lead(connection, winner_id, made, at)
    detail = {
        "winner": told(before),
        "loser": told(loser.values),
        "made": told(made),
        "moved": moved,
        "ended": list(ended),
        "hands": hands,
        "held_out": held_out,
    }
    log_merge(
        connection,
        {
            "id": merge_id,
            "winner_id": winner_id,
            "loser_id": loser_id,
            "at": at,
            "cause": cause,
            "by": by,
            "detail": detail,
        },
    )
    log_agreement(connection, winner_id, before, made, at, {"merge": merge_id})
    counts = {name: len(rows) for name, rows in moved.items() if rows}
    if cause not in BY_ITSELF:
        record_act(
            connection, "merge-leads", by, why, times.machine, merge=merge_id, lead=winner_id, other=loser_id
        )
    changed = differences(before, made)
    _tell(connection, merge_id, winner_id, loser_id, cause, changed, at, times.machine, historical)
    return Merged(merge_id, winner_id, loser_id, changed, tuple(ended), tuple(held_out), counts, before, made)


def both(connection: Connection, one_id: str, other_id: str, into: str | None = None) -> tuple[Side, Side]:
    """Lock the two leads that these have become: who goes on, and who becomes it. Raises Refused."""
    while True:
        final = survivors(connection, {one_id, other_id})
        rows = lock_leads(connection, set(final.values()))
        if not any(row.merged_into for row in rows.values()):  # else merged between the look and the lock
            break
    if set(rows) != set(final.values()):
        raise unknown_lead()
    if len(rows) == 1:
        raise Refused(409, "same-lead", "These are one and the same lead already; nothing was changed.")
    if any(row.erased_at is not None for row in rows.values()):
        raise erased_lead()
    if into is not None and into not in rows:
        raise Refused(
            409, "not-one-of-them", "The lead to go on must be one of the two; nothing was changed."
        )
    first, second = sorted(rows.values(), key=lambda row: (row.id != into, goes_on_first(row._mapping)))
    return _side(connection, first), _side(connection, second)


def _side(connection: Connection, lead: Row[Any]) -> Side:
    return Side(dict(lead._mapping), _stage_at(connection, lead))


def _stage_at(connection: Connection, lead: Row[Any]) -> datetime:
    """When the lead's stage was said last; of an older store, as far as its events tell."""
    created: datetime = lead.created_at
    if not lead.stage:
        return created
    if lead.stage_at is not None:  # a customer's, whose other card asked later, is not what its events tell
        at: datetime = lead.stage_at
        return at
    query = (
        select(events.c.received_at, events.c.properties)
        .where(events.c.lead_id == lead.id, events.c.name == "lead.updated")
        .order_by(events.c.received_at.desc(), events.c.seq.desc())
    )
    said = (
        row.received_at for row in connection.execute(query) if "stage" in row.properties.get("changed", ())
    )
    return next(said, created)


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a merge decides on, as the log keeps them."""
    return {
        name: values[name].isoformat() if isinstance(values[name], datetime) else values[name]
        for name in RULES
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that are another now, as expressions read them (`stage`, `consent`, an attribute's own name)."""
    names = {name for name in RULES if name not in ("attributes", *QUIET) and before[name] != after[name]}
    old, new = before["attributes"] or {}, after["attributes"] or {}
    names |= {name for name in {**old, **new} if old.get(name) != new.get(name)}
    return tuple(sorted(names))


def _tell(
    connection: Connection,
    merge_id: str,
    winner_id: str,
    loser_id: str,
    cause: str,
    changed: tuple[str, ...],
    at: datetime,
    machine_now: datetime,
    historical: bool,
) -> None:
    said = {"lead": loser_id, "cause": cause}
    merged = Event(f"{merge_id}.merged", winner_id, "lead.merged", said, at, historical=historical)
    record(connection, merged, machine_now)
    if changed:
        updated = {"changed": list(changed)}
        event = Event(f"{merge_id}.updated", winner_id, "lead.updated", updated, at, historical=historical)
        record(connection, event, machine_now)


__all__ = ["BY_ITSELF", "Cause", "Merged", "Times", "both", "merge"]
