"""A batch does what its events would do one by one, however many of them set nothing going."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import Duration
from dripline.store.database import Store
from dripline.store.schema import events, inbox, leads, runs
from tests.ingest.journeys import EventFilter, Exit, Goal, a_plan
from tests.ingest.journeys import published as publish_all
from tests.ingest.test_service import WORKSPACE

PEOPLE = 8


def _draw(seed: int) -> list[dict[str, Any]]:
    """Events of several leads, some heard and most not, with ids that come again and some that nobody knows."""
    chance = random.Random(seed)
    drawn = []
    for number in range(60):
        event: dict[str, Any] = {
            "name": chance.choice(["demo.booked", "order.paid", "order.paid"]),
            "lead": f"crm-{chance.randrange(PEOPLE + 1)}",
            "id": f"event-{chance.randrange(45)}",
            "properties": {},
            "historical": chance.random() < 0.1,
        }
        if event["name"] == "demo.booked":
            event["properties"] = {"seats": number}
        drawn.append(event)
    return drawn


def _prepared(store: Store) -> Ingest:
    """Leads, and journeys that a demo begins and an order ends: whoever is in one is heard."""
    order = EventFilter(events=("order.paid",))
    converted, left = Goal(on=order, within=Duration(days=30)), (Exit(on=order, reason="bought"),)
    with store.write() as connection:
        publish_all(
            connection,
            a_plan(on="demo.booked", reentry="always", goal=converted),
            a_plan("farewell", on="demo.booked", reentry="always", exits=left),
        )
    ingest = Ingest(store, WORKSPACE)
    for number in range(PEOPLE):
        ingest.upsert_lead(LeadIn(external_id=f"crm-{number}"))
    return ingest


def _told(store: Store) -> dict[str, Any]:
    """What the store holds afterwards, by names that do not depend on when it was."""
    with store.read() as connection:
        order = connection.execute(
            select(leads.c.external_id, events.c.id)
            .join(leads, leads.c.id == events.c.lead_id)
            .where(events.c.historical.is_(False), events.c.name != "lead.created")
            .order_by(leads.c.external_id, events.c.received_at)
        ).all()
        started = connection.execute(select(runs.c.trigger_event).order_by(runs.c.trigger_event)).scalars()
        heard = connection.execute(select(inbox.c.event_id).order_by(inbox.c.event_id)).scalars()
        every = connection.execute(select(events.c.id).where(events.c.name != "lead.created")).scalars()
        return {
            "order": [tuple(row) for row in order],
            "runs": list(started),
            "heard": list(heard),
            "events": sorted(every),
        }


def _recorded_singly(ingest: Ingest, drawn: list[dict[str, Any]]) -> list[int]:
    refused = []
    for index, one in enumerate(drawn):
        try:
            ingest.record_event(EventIn.model_validate(one))
        except Refused:
            refused.append(index)
    return refused


@pytest.mark.parametrize("seed", range(12))
def test_a_batch_does_what_its_events_do_one_by_one(
    store: Store, migrated_file: Path, tmp_path: Path, seed: int
) -> None:
    drawn = _draw(seed)
    shutil.copy(migrated_file, tmp_path / "other.db")
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    refused = _recorded_singly(_prepared(other), drawn)
    answer = _prepared(store).record_batch(drawn)
    assert [problem["index"] for problem in answer.body["problems"]] == refused
    assert _told(store) == _told(other)
    other.close()
