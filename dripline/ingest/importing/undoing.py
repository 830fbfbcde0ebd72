"""Taking an import back: leads that it made and that did nothing since are gone, values that it changed are as before.

What somebody else has changed since stays, and so does a no: undoing never makes anybody a subscriber again. What
cannot be undone is told, line by line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, Row, delete, or_, select, update

from dripline.engine.policy import ADDRESS
from dripline.ingest.agreeing import Source
from dripline.ingest.change import LeadChange
from dripline.ingest.importing.marks import marks
from dripline.ingest.leads import upsert
from dripline.ingest.refusal import Refused
from dripline.store import schema
from dripline.store.consents import consent_history
from dripline.store.imports import mark_rows, rows_to_undo
from dripline.store.leads import change_lead, lock_leads
from dripline.store.schema import leads
from dripline.store.touches import first_and_last

CHUNK = 100
"""Rows that are undone in one transaction."""

Fate = Literal["removed", "restored", "partly", "merged", "active", "changed", "elsewhere"]

WORDS: Mapping[str, str] = {
    "partly": "other values were changed since, or would widen what the lead agreed to: they stay",
    "merged": "the lead has become one with another since: nothing was undone",
    "active": "something has happened to the lead since: it stays, without the consent of the import",
    "changed": "the lead was changed since: it stays, without the consent of the import",
    "elsewhere": "an identity that it had before is another lead's by now: nothing was undone",
}
"""Why a row was not undone, or not all of it."""

_OWN = {
    "identities",
    "touches",
    "consents",
    "events",
    "import_rows",
    "leads",
    "score_points",
    "score_changes",
    "stage_changes",
    "customers",
}
"""Tables with rows of a lead that did nothing. (That another was merged into it, `merges` tells.)"""

_OF_CHANGES = ("lead.created", "lead.updated", "lead.stage_changed", "lead.converted", "lead.lost")
"""Events that follow a change of the lead: where they are historical, nothing else has happened."""

_DELETED = (
    schema.identities,
    schema.touches,
    schema.consents,
    schema.import_rows,
    schema.score_points,
    schema.score_changes,
    schema.stage_changes,
    schema.customers,
)
_BARE = {"id", "created_at", "updated_at", "merged_into", "erased_at"}
_NOTHING: Mapping[str, Any] = {
    "score": 0.0,
    "tags": [],
    "lacks": [],
    "consent": {},
    "topics": {},
    "attributes": {},
}
"""What is in the columns of a lead of whom nothing is kept; in the others there is NULL."""


@dataclass(frozen=True)
class Undone:
    """What became of a row that was to be undone."""

    line: int
    fate: Fate
    kept: tuple[str, ...] = ()
    """Names of values that were not put back."""


@dataclass(frozen=True)
class UndoOrder:
    """Which import is taken back, who does it, and when."""

    import_id: str
    digest: str
    by: str | None
    house_now: datetime
    machine_now: datetime


def undo_chunk(connection: Connection, order: UndoOrder, before: int | None) -> list[Undone]:
    """Undo the next rows, from the last line up to `before`; none are left where none come back."""
    rows = rows_to_undo(connection, order.import_id, before, CHUNK)
    locked = lock_leads(connection, {row.lead_id for row in rows})
    active = _active(connection, locked, order.import_id)
    done = []
    for row in rows:
        lead = locked.get(row.lead_id)
        if lead is not None:
            # What an earlier row of the chunk did to the same lead is read as well.
            lead = connection.execute(select(leads).where(leads.c.id == lead.id)).one_or_none()
        done.append(_undo_row(connection, order, row, lead, row.lead_id in active))
    for fate in {one.fate for one in done}:
        mark_rows(connection, order.import_id, [one.line for one in done if one.fate == fate], fate)
    return done


def _undo_row(
    connection: Connection, order: UndoOrder, row: Row[Any], lead: Row[Any] | None, active: bool
) -> Undone:
    after: dict[str, Any] = dict(row.after or {})
    if lead is None or lead.erased_at is not None:
        return Undone(row.line, "removed")
    if lead.merged_into is not None or after.pop("merged", None):
        return Undone(row.line, "merged")
    if row.what == "created":
        return _remove(connection, order, row, lead, after, active)
    return _put_back(connection, order, row.line, lead, dict(row.before or {}), after)


def _remove(
    connection: Connection,
    order: UndoOrder,
    row: Row[Any],
    lead: Row[Any],
    after: Mapping[str, Any],
    active: bool,
) -> Undone:
    fate: Fate | None = "active" if active else None
    if fate is None and _known(lead, after) != after:
        fate = "changed"
    if fate is None:
        _empty(connection, lead.id, order.house_now)
        return Undone(row.line, "removed")
    given = {name: value for name, value in after.items() if name.startswith("consent.") and value is True}
    _put_back(connection, order, row.line, lead, dict.fromkeys(given), given)
    return Undone(row.line, fate)


def _known(lead: Row[Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The marks of the lead; of one that is scored, the score goes on by itself and is no change."""
    return marks({**lead._mapping, **({} if lead.warmth is None else {"score": after.get("score")})})


def _empty(connection: Connection, lead_id: str, now: datetime) -> None:
    """Take away everything that is kept of the lead. Its bare row stays, as one of an erased lead does.

    Deleting it, or its events, would look through every run and every other lead for what points to it.
    """
    for table in _DELETED:
        connection.execute(delete(table).where(table.c.lead_id == lead_id))
    nothing = {column.name: _NOTHING.get(column.name) for column in leads.columns if column.name not in _BARE}
    connection.execute(update(leads).where(leads.c.id == lead_id).values(**nothing, erased_at=now))


def _active(connection: Connection, lead_ids: Collection[str], import_id: str) -> set[str]:
    """Those of the leads to whom something has happened that is not of this import."""
    events, rows = schema.events.c, schema.import_rows.c
    happened = select(events.lead_id).where(
        events.lead_id.in_(lead_ids),
        or_(events.historical.is_(False), events.name.not_in(_OF_CHANGES)),
    )
    others = select(rows.lead_id).where(
        rows.lead_id.in_(lead_ids), rows.import_id != import_id, rows.undone.is_(None)
    )
    queries = [happened, others]
    for table, column in _pointing_to_leads():
        if table not in _OWN:
            queries.append(select(column).where(column.in_(lead_ids)))
    return {found for query in queries for found in connection.execute(query.distinct()).scalars()}


def _pointing_to_leads() -> Iterator[tuple[str, Column[Any]]]:
    """Every column of every table that names a lead."""
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column is leads.c.id for key in column.foreign_keys):
                yield table.name, column


def _put_back(
    connection: Connection,
    order: UndoOrder,
    line: int,
    lead: Row[Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Undone:
    now = marks({**lead._mapping})
    touches = [name for name in after if name in ("first_touch", "last_touch")]
    names = [name for name in after if name not in touches and now.get(name) == after[name]]
    widening = [name for name in names if _widens(name, before.get(name), after[name])]
    back = {name: before.get(name) for name in names if name not in widening}
    back |= dict.fromkeys(_agreed_for(connection, order, lead, back))
    kept = [name for name in after if name not in back and name not in touches]
    try:
        with connection.begin_nested():
            upsert(connection, _change(lead.id, back, order), order.house_now, order.machine_now)
    except Refused:
        return Undone(line, "elsewhere")
    if touches:
        told_by = f"import.{order.digest[:40]}.{line}"
        mine = (schema.touches.c.lead_id == lead.id, schema.touches.c.event_id == told_by)
        connection.execute(delete(schema.touches).where(*mine))
        change_lead(connection, lead.id, first_and_last(connection, lead.id), order.house_now)
    return Undone(line, "partly" if kept else "restored", tuple(kept))


def _agreed_for(
    connection: Connection, order: UndoOrder, lead: Row[Any], back: Mapping[str, Any]
) -> list[str]:
    """Consent, by name, that was given since the import: for its address, not for the one that is put back."""
    moved = [channel for channel, kind in ADDRESS.items() if kind in back and lead.consent.get(channel)]
    if not moved:
        return []
    imports = schema.imports.c
    begun = connection.execute(select(imports.at).where(imports.id == order.import_id)).scalar_one()
    since = {
        row.channel
        for row in consent_history(connection, lead.id)
        if row.state == "granted" and row.topic is None and row.at >= begun
        if row.proof.get("file") != order.digest
    }
    return [f"consent.{channel}" for channel in moved if channel in since]


def _widens(name: str, before: Any, after: Any) -> bool:
    """Whether putting it back would let messages go that may not go now."""
    if not name.startswith(("consent.", "topics.")):
        return False
    if name.startswith("consent."):
        return before is True
    return after is False or isinstance(after, Mapping)  # what is not said of a topic is no refusal of it


def _change(lead_id: str, back: Mapping[str, Any], order: UndoOrder) -> LeadChange:
    groups: dict[str, dict[str, Any]] = {"consent": {}, "topics": {}, "attributes": {}}
    columns: dict[str, Any] = {}
    for name, value in back.items():
        group, dot, rest = name.partition(".")
        if dot and group in groups:
            groups[group][rest] = value
        else:
            columns[name] = value
    source = Source("import", {"undone": order.digest}, order.by)
    return LeadChange(
        columns,
        groups["consent"],
        groups["topics"],
        groups["attributes"],
        id=lead_id,
        historical=True,
        source=source,
    )
