"""The same life as `simulate` lives, by the real store: turns and deliveries called by hand, at virtual times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.links import stand_in
from dripline.language.plan import Plan
from dripline.links import Links
from dripline.store import schema
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.leads import COLUMNS, add_lead
from tests.durable.house import House

Happening = tuple[datetime, str, Mapping[str, Any]]


def live_by_store(
    house: House, lead_id: str, lead: Mapping[str, Any], coming: Sequence[Happening], until: datetime
) -> list[str]:
    """The stories of the lead's runs, line by line, as `told` tells those of a simulated life."""
    start = coming[0][0]
    _add(house, lead_id, lead, start)
    left = sorted(coming, key=lambda one: one[0])
    while True:
        runs = _runs(house, lead_id)
        moments = [one[0] for one in left[:1]]
        moments += [run.until for run in runs if run.until and not run.ended_at and not run.parked_reason]
        if not moments or min(moments) > until:
            return _told(house, lead_id)
        now = min(moments)
        while left and left[0][0] <= now:
            at, name, properties = left.pop(0)
            _happens(house, lead_id, name, properties, at)
        while ready := [run for run in _runs(house, lead_id) if _ready(run, now)]:
            first = max(ready, key=lambda run: run.priority)
            standing = house.advance(first.id, now)
            house.clock.offset = now - machine_clock()
            for delivery in standing.deliver:
                house.deliveries.attempt(delivery.message)


def _add(house: House, lead_id: str, lead: Mapping[str, Any], at: datetime) -> None:
    own = {name: lead[name] for name in (*COLUMNS, "consent", "topics") if name in lead}
    own["attributes"] = {name: value for name, value in lead.items() if name not in own and name != "id"}
    with house.store.write() as connection:
        add_lead(connection, lead_id, own, at)


def _happens(house: House, lead_id: str, name: str, properties: Mapping[str, Any], at: datetime) -> None:
    with house.store.write() as connection:
        count = len(connection.execute(select(schema.events.c.id)).all())
        record(connection, Event(f"event-{count}", lead_id, name, properties, at), at)


def _runs(house: House, lead_id: str) -> list[Any]:
    query = select(schema.runs).where(schema.runs.c.lead_id == lead_id)
    with house.store.read() as connection:
        return list(connection.execute(query.order_by(schema.runs.c.started_at, schema.runs.c.id)))


def _ready(run: Any, now: datetime) -> bool:
    if run.ended_at is not None:
        return False
    woken = run.wake_wanted > run.wake_done
    due = run.until is not None and run.until <= now and not run.parked_reason
    return bool(woken or due)


def _told(house: House, lead_id: str) -> list[str]:
    lines: list[str] = []
    with house.store.read() as connection:
        links = Links(open_house(connection).secret)
        for run in connection.execute(
            select(schema.runs)
            .where(schema.runs.c.lead_id == lead_id)
            .order_by(schema.runs.c.started_at, schema.runs.c.journey)
        ).all():
            log = select(schema.step_log).where(schema.step_log.c.run_id == run.id)
            lines.append(f"{run.journey}: {run.outcome} {run.outcome_reason} {run.parked_reason}")
            lines.append(f"{run.converted_at is not None} {run.goal_value} {run.last_at} {run.step}")
            lines += [
                say_note(note.at, note.step, note.what, note.detail)
                for note in connection.execute(log.order_by(schema.step_log.c.id))
            ]
            ledger = select(schema.messages).where(schema.messages.c.run_id == run.id)
            message = schema.messages.c
            rows = connection.execute(ledger.order_by(message.queued_at, message.step, message.visit))
            lines += [
                f"{row.queued_at} {row.channel} {row.template} {FATES.get(row.state, row.state)} "
                f"{row.reason if row.state != 'accepted' else None} {row.subject} {_unsigned(row.body, links)}"
                for row in rows
            ]
    return lines


def _unsigned(body: str | None, links: Links) -> str | None:
    """What the message says, each link replaced by what it stands for, as the simulator has it."""

    def stands_for(match: re.Match[str]) -> str:
        claim = links.read(match[1])
        assert claim is not None
        return stand_in(claim.link)

    return body and re.sub(r"http://127\.0\.0\.1:8080/l/([\w.-]+)", stands_for, body)


FATES = {"accepted": "sent", "delivered": "sent"}


def say_note(at: datetime, step: str | None, what: str, detail: Mapping[str, Any]) -> str:
    """A note without the ids, which each side makes for itself."""
    said = {name: value for name, value in detail.items() if name not in ("message", "event_id", "code")}
    return f"{at:%Y-%m-%d %H:%M} {step} {what} {sorted(said.items(), key=str)}"


__all__ = ["House", "Plan", "live_by_store", "say_note"]
