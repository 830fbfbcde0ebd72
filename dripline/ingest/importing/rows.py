"""Leads from a file: a chunk of rows to a transaction, those that are simple together, the others each by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from dripline.ingest.change import LeadChange, read_change
from dripline.ingest.enrolment import enrol
from dripline.ingest.identity import Reference, resolve
from dripline.ingest.importing.marks import differences, marks
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.refusal import Refused, invalid
from dripline.ingest.words import field_errors
from dripline.language.completeness import lacks
from dripline.language.workspace import Workspace
from dripline.store.leads import load_lead, read_lead

What = Literal["created", "changed", "same", "refused"]


@dataclass(frozen=True)
class Order:
    """What shall be done with every row, beside keeping what it says."""

    grant: tuple[str, ...] = ()
    """Channels to which the leads agreed, as the importer says. Who has said no keeps that."""
    journey: str | None = None
    """The journey to enrol them in."""
    digest: str = ""
    """Of the file: one file enrols a lead once, however often it is imported."""
    by: str | None = None
    """Who imports."""


@dataclass(frozen=True)
class Imported:
    """What became of a row."""

    line: int
    what: What
    refusal: Refused | None = None
    kept_no: bool = False
    """Whether the row said yes for a channel for which the lead had said no, which stays."""
    enrolled: bool = False
    not_enrolled: str | None = None
    lead_id: str | None = None
    before: Mapping[str, Any] | None = None
    """What it changed, as it was (see `marks`)."""
    after: Mapping[str, Any] | None = None
    """And as it made it; of a new lead, all of it."""
    incomplete: bool = False
    """Whether nobody can be reached by the lead as it is now."""


@dataclass(frozen=True)
class Meant:
    """A row as it is to be kept: the import is its source, and asks for nobody's consent who has said no."""

    line: int
    change: LeadChange
    kept_no: bool = False


def read_said(said: dict[str, Any], workspace: Workspace) -> LeadChange:
    """What a row says, made normal, as history. Raises Refused."""
    try:
        return read_change(LeadIn.model_validate({**said, "historical": True}), workspace)
    except ValidationError as error:
        raise invalid(field_errors(error.errors())) from None


def as_meant(line: int, change: LeadChange, order: Order, lead: Mapping[str, Any] | None) -> Meant:
    """The row with the consent that the importer grants; an import never turns a no into a yes."""
    said = {**dict.fromkeys(order.grant, True), **change.consent}
    before = (lead or {}).get("consent") or {}
    refused = [channel for channel, agreed in said.items() if agreed and before.get(channel) is False]
    kept = {channel: agreed for channel, agreed in said.items() if channel not in refused}
    proof = {**change.source.proof, "file": order.digest, "line": line}
    source = replace(change.source, kind="import", proof=proof, by=order.by)
    touch = replace(change.touch, event_id=touch_id(order.digest, line)) if change.touch else None
    return Meant(line, replace(change, consent=kept, source=source, touch=touch), bool(refused))


def touch_id(digest: str, line: int) -> str:
    """What a touch says it was told by, where it was a row of a file."""
    return f"import.{digest[:40]}.{line}"


def import_row(
    connection: Connection,
    workspace: Workspace,
    line: int,
    change: LeadChange,
    order: Order,
    house_now: datetime,
    machine_now: datetime,
) -> Imported:
    """Keep one row by itself, within a savepoint."""
    known = _known(connection, change)
    lead = read_lead(connection, known) if known else None
    meant = as_meant(line, change, order, lead._mapping if lead is not None else None)  # type: ignore[arg-type]
    try:
        with connection.begin_nested():
            done = upsert(connection, meant.change, house_now, machine_now)
    except Refused as refusal:
        return Imported(line, "refused", refusal)
    except DataError:
        return Imported(line, "refused", Refused(422, "invalid", "The database cannot keep such values."))
    now = marks({**load_lead(connection, done.lead_id)._mapping})
    before, after = differences(marks({**lead._mapping}) if lead is not None else {}, now)
    what: What = "created" if done.created else "changed" if before or done.changed else "same"
    if done.merged:
        after = {**after, "merged": list(done.merged)}
    row = Imported(line, what, kept_no=meant.kept_no, lead_id=done.lead_id, incomplete=bool(_lacks(now)))
    row = replace(row, before=None if done.created else before, after=now if done.created else after)
    return enrolled(connection, workspace, row, order, house_now, machine_now)


def enrolled(
    connection: Connection,
    workspace: Workspace,
    row: Imported,
    order: Order,
    now: datetime,
    machine_now: datetime,
) -> Imported:
    """Put the row's lead into the journey of the order, if there is one."""
    if order.journey is None or row.lead_id is None:
        return row
    stem = f"{order.digest}/{order.journey}/{row.lead_id}"
    event_id = f"import.{hashlib.sha256(stem.encode()).hexdigest()[:40]}"
    try:
        with connection.begin_nested():
            enrol(connection, workspace, row.lead_id, order.journey, {}, now, machine_now, event_id)
    except Refused as refusal:
        return replace(row, not_enrolled=refusal.detail)
    return replace(row, enrolled=True)


def incomplete(columns: Mapping[str, Any]) -> bool:
    """Whether nobody can be reached by a lead with those columns."""
    return bool(lacks({**(columns.get("attributes") or {}), **columns}))


def _lacks(now: Mapping[str, Any]) -> list[str]:
    return lacks({name.removeprefix("attributes."): value for name, value in now.items()})


def _known(connection: Connection, change: LeadChange) -> str | None:
    """The lead that is meant, where there is exactly one."""
    try:
        return resolve(connection, Reference((change.id,) if change.id else (), change.identities))
    except Refused:
        return None


Rows = Sequence[tuple[int, LeadChange]]
"""Lines of a file, and what each says."""
Clock = Callable[[], datetime]
