"""Leads from a file: a hundred rows to a transaction, each row by itself within a savepoint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError

from dripline.ingest.change import LeadChange, read_change
from dripline.ingest.enrolment import enrol
from dripline.ingest.identity import Reference, resolve
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.refusal import Refused, invalid
from dripline.ingest.words import field_errors
from dripline.language.workspace import Workspace
from dripline.store.leads import read_lead
from dripline.store.schema import leads


@dataclass(frozen=True)
class Order:
    """What shall be done with every row, beside keeping what it says."""

    grant: tuple[str, ...] = ()
    """Channels to which the leads agreed, as the importer says. Who has said no keeps that."""
    journey: str | None = None
    """The journey to enrol them in."""
    digest: str = ""
    """Of the file: one file enrols a lead once, however often it is imported."""


@dataclass(frozen=True)
class Imported:
    """What became of a row."""

    line: int
    what: Literal["created", "changed", "same", "refused"]
    refusal: Refused | None = None
    kept_no: bool = False
    """Whether the row said yes for a channel for which the lead had said no, which stays."""
    enrolled: bool = False
    not_enrolled: str | None = None


def read_said(said: dict[str, Any], workspace: Workspace) -> LeadChange:
    """What a row says, made normal, as history. Raises Refused."""
    try:
        return read_change(LeadIn.model_validate({**said, "historical": True}), workspace)
    except ValidationError as error:
        raise invalid(field_errors(error.errors())) from None


def import_chunk(
    connection: Connection,
    workspace: Workspace,
    rows: Sequence[tuple[int, LeadChange]],
    order: Order,
    house_now: Callable[[], datetime],
    machine_now: Callable[[], datetime],
) -> list[Imported]:
    """Keep these rows (line and change) in the caller's transaction. The leads that are known are locked first."""
    known = {line: _known(connection, change) for line, change in rows}
    ids = sorted({lead_id for lead_id in known.values() if lead_id})
    connection.execute(
        select(leads.c.id).where(leads.c.id.in_(ids)).order_by(leads.c.id).with_for_update()
    ).all()
    now = house_now()
    return [
        _import_row(connection, workspace, line, change, order, now, machine_now()) for line, change in rows
    ]


def _import_row(
    connection: Connection,
    workspace: Workspace,
    line: int,
    change: LeadChange,
    order: Order,
    now: datetime,
    machine_now: datetime,
) -> Imported:
    try:
        with connection.begin_nested():
            change, kept_no = _consenting(connection, change, order)
            proof = {**change.source.proof, "file": order.digest, "line": line}
            change = replace(change, source=replace(change.source, kind="import", proof=proof))
            done = upsert(connection, change, now, machine_now)
    except Refused as refusal:
        return Imported(line, "refused", refusal)
    except DataError:
        return Imported(line, "refused", Refused(422, "invalid", "The database cannot keep such values."))
    row = Imported(
        line, "created" if done.created else "changed" if done.changed else "same", kept_no=kept_no
    )
    return _enrol(connection, workspace, row, done.lead_id, order, now, machine_now) if order.journey else row


def _enrol(
    connection: Connection,
    workspace: Workspace,
    row: Imported,
    lead_id: str,
    order: Order,
    now: datetime,
    machine_now: datetime,
) -> Imported:
    assert order.journey is not None
    stem = f"{order.digest}/{order.journey}/{lead_id}"
    event_id = f"import.{hashlib.sha256(stem.encode()).hexdigest()[:40]}"
    try:
        with connection.begin_nested():
            enrol(connection, workspace, lead_id, order.journey, {}, now, machine_now, event_id)
    except Refused as refusal:
        return replace(row, not_enrolled=refusal.detail)
    return replace(row, enrolled=True)


def _consenting(connection: Connection, change: LeadChange, order: Order) -> tuple[LeadChange, bool]:
    """The change with the consent that the importer grants; an import never turns a no into a yes."""
    said = {**dict.fromkeys(order.grant, True), **change.consent}
    lead_id = _known(connection, change)
    lead = read_lead(connection, lead_id) if lead_id else None
    before = lead.consent if lead is not None else {}
    refused = [channel for channel, agreed in said.items() if agreed and before.get(channel) is False]
    kept = {channel: agreed for channel, agreed in said.items() if channel not in refused}
    return replace(change, consent=kept), bool(refused)


def _known(connection: Connection, change: LeadChange) -> str | None:
    """The lead that is meant, where there is exactly one."""
    try:
        return resolve(connection, Reference((change.id,) if change.id else (), change.identities))
    except Refused:
        return None
