"""A batch of events: every row has an outcome of its own, and a bad one spoils no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError

from dripline.ingest.identity import resolve
from dripline.ingest.once import Answer
from dripline.ingest.reading import Outcome, Row
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.store.events import Event
from dripline.store.schema import leads


def record_rows(
    connection: Connection,
    rows: list[Row],
    house_now: Callable[[], datetime],
    machine_now: Callable[[], datetime],
) -> list[Outcome]:
    """Record these rows in one transaction, each within a savepoint, their leads locked first in id order."""
    outcomes: list[Outcome] = []
    meant: list[tuple[Row, str]] = []
    for row in rows:
        try:
            meant.append((row, resolve(connection, row.reference)))
        except Refused as refusal:
            outcomes.append(Outcome(row.index, refusal=refusal))
    lead_ids = sorted({lead_id for _, lead_id in meant})
    connection.execute(
        select(leads.c.id).where(leads.c.id.in_(lead_ids)).order_by(leads.c.id).with_for_update()
    ).all()
    now = house_now()
    return outcomes + [_record_row(connection, row, lead_id, now, machine_now()) for row, lead_id in meant]


def _record_row(
    connection: Connection, row: Row, lead_id: str, now: datetime, machine_now: datetime
) -> Outcome:
    said = row.said
    event = Event(row.event_id, lead_id, said.name, row.properties, now, said.occurred_at, said.historical)
    try:
        with connection.begin_nested():
            return Outcome(row.index, new=record(connection, event, machine_now).new)
    except Refused as refusal:
        return Outcome(row.index, refusal=refusal)
    except DataError:
        return Outcome(row.index, refusal=Refused(422, "invalid", "The database cannot keep such values."))


def summary(outcomes: list[Outcome]) -> Answer:
    """What the caller is told: counts, and of every refused row its index, fields and reasons."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.index)
    problems = [_problem(one.index, one.refusal) for one in ordered if one.refusal]
    body: dict[str, Any] = {
        "recorded": sum(one.new for one in ordered),
        "repeated": sum(not one.new and one.refusal is None for one in ordered),
        "refused": len(problems),
        "problems": problems,
    }
    return Answer(207 if problems else 202, body)


def _problem(index: int, refusal: Refused) -> dict[str, Any]:
    return {
        "index": index,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": [{"field": one.field, "detail": one.detail} for one in refusal.errors],
    }
