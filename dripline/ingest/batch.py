"""A batch of events: every row has an outcome of its own, and a bad one spoils no other.

No journey begins with most events, nor do they convert a run that has ended. Those are written together with
the inboxes of the runs that listen for them, and what has to be known of their leads is asked once. The others
go one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Row as Found
from sqlalchemy.exc import DataError

from dripline.ingest.about import lacks_message
from dripline.ingest.conversions import awaited_conversions
from dripline.ingest.identity import resolve_all
from dripline.ingest.once import Answer
from dripline.ingest.reading import Outcome, Row
from dripline.ingest.recording import listens, record, repeated
from dripline.ingest.refusal import Refused
from dripline.store.events import Event, OpenRun, deliver_all, just_after, keep_all, newest, open_runs
from dripline.store.leads import lock_leads
from dripline.store.plans import published
from dripline.store.rules import current_rules

_Meant = tuple[int, Event]
"""A row's index in its batch, and its event."""


def record_rows(
    connection: Connection,
    rows: list[Row],
    house_now: Callable[[], datetime],
    machine_now: Callable[[], datetime],
) -> list[Outcome]:
    """Record these rows in one transaction, each by itself, their leads locked first in id order."""
    outcomes: list[Outcome] = []
    meant: list[tuple[Row, str]] = []
    for row, found in zip(rows, resolve_all(connection, [row.reference for row in rows]), strict=True):
        if isinstance(found, Refused):
            outcomes.append(Outcome(row.index, refusal=found))
        else:
            meant.append((row, found))
    leads = lock_leads(connection, {lead_id for _, lead_id in meant})
    now = house_now()
    events = [(row.index, _event(row, lead_id, now)) for row, lead_id in meant]
    plain, special = _parted(connection, events, leads)
    outcomes += _write_plain(connection, plain, machine_now)
    return outcomes + [_record_one(connection, one, machine_now()) for one in special]


def _event(row: Row, lead_id: str, now: datetime) -> Event:
    said = row.said
    return Event(row.event_id, lead_id, said.name, row.properties, now, said.occurred_at, said.historical)


def _parted(
    connection: Connection, events: Sequence[_Meant], leads: Mapping[str, Found[Any]]
) -> tuple[list[_Meant], list[_Meant]]:
    """The events of leads for whom all of them are plain, and those of all other leads."""
    triggers = {
        name for one in published(connection) if not one.paused for name in one.plan.trigger.on.events
    }
    awaited = awaited_conversions(connection, leads)
    heard = current_rules(connection).heard
    times = Counter(event.id for _, event in events)

    def is_plain(event: Event) -> bool:
        lead = leads.get(event.lead_id)
        if times[event.id] > 1:  # the first row that has an id gets it
            return False
        if lead is None or lead.erased_at is not None or lead.merged_into is not None:
            return False
        if event.name in heard:
            return False
        if event.historical:
            return True
        if lacks_message(event):
            return False
        return event.name not in triggers and (event.lead_id, event.name) not in awaited

    def lead_of(one: _Meant) -> str:
        return one[1].lead_id

    plain: list[_Meant] = []
    special: list[_Meant] = []
    for _, group in groupby(sorted(events, key=lead_of), lead_of):  # stable: a lead's own order stays
        of_lead = list(group)
        (plain if all(is_plain(event) for _, event in of_lead) else special).extend(of_lead)
    return plain, sorted(special, key=lambda one: one[0])


def _write_plain(
    connection: Connection, plain: Sequence[_Meant], machine_now: Callable[[], datetime]
) -> list[Outcome]:
    if not plain:
        return []
    seen = newest(connection, {event.lead_id for _, event in plain})
    ordered: list[_Meant] = []
    for index, event in plain:
        if event.historical:
            ordered.append((index, event))
            continue
        at = seen[event.lead_id] = just_after(event.received_at, seen.get(event.lead_id))
        ordered.append((index, replace(event, received_at=at)))
    try:
        with connection.begin_nested():
            new = keep_all(connection, [event for _, event in ordered])
            letters = _letters(connection, [event for _, event in ordered if event.id in new])
            deliver_all(connection, letters, machine_now())
    except DataError:  # which of them it was, each tells by itself
        return [_record_one(connection, one, machine_now()) for one in plain]
    return [
        Outcome(index, new=True) if event.id in new else _told_again(connection, index, event)
        for index, event in ordered
    ]


def _letters(connection: Connection, new: Sequence[Event]) -> list[tuple[Event, str]]:
    """Each event with each run that listens for it."""
    standing: dict[str, list[OpenRun]] = {}
    for run in open_runs(connection, {event.lead_id for event in new}):
        standing.setdefault(run.lead_id, []).append(run)
    return [
        (event, run.id)
        for event in new
        if not event.historical
        for run in standing.get(event.lead_id, ())
        if listens(connection, run, event)
    ]


def _told_again(connection: Connection, index: int, event: Event) -> Outcome:
    try:
        return Outcome(index, new=repeated(connection, event).new)
    except Refused as refusal:
        return Outcome(index, refusal=refusal)


def _record_one(connection: Connection, one: _Meant, machine_now: datetime) -> Outcome:
    index, event = one
    try:
        with connection.begin_nested():
            return Outcome(index, new=record(connection, event, machine_now).new)
    except Refused as refusal:
        return Outcome(index, refusal=refusal)
    except DataError:
        return Outcome(index, refusal=Refused(422, "invalid", "The database cannot keep such values."))


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
