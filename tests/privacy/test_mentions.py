"""Two who were held for one person, until that was taken back: what one did meanwhile names the other no more."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import insert, select

from dripline.clock import machine_clock
from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.service import Ingest
from dripline.language.expressions import compile_expression
from dripline.privacy.erasing import Eraser
from dripline.privacy.mentions import clean
from dripline.store import schema
from dripline.store.database import Store
from tests.durable.house import House
from tests.privacy.made_up import everything
from tests.privacy.test_lives import WORKSPACE

CAMPAIGN = {
    "id": "spring",
    "name": "spring",
    "journey": "welcome",
    "state": "running",
    "own_zone": False,
    "created_at": machine_clock(),
}


def test_what_happened_while_they_were_one_names_the_erased_no_more(store: Store) -> None:
    House(store)
    ingest = Ingest(store, WORKSPACE)
    nare = ingest.upsert_lead(LeadIn(external_id="crm-nare", phone="+37491123499")).body["id"]
    aram = ingest.upsert_lead(LeadIn(email="aram@example.com", external_id="crm-aram")).body["id"]
    merged = ingest.merge_leads(nare, aram, "command")
    said = EventIn(
        name="demo.booked", lead={"id": nare}, properties={"note": "ask Aram@Example.com and Nare"}
    )
    ingest.record_event(said)
    ingest.undo_merge(merged.id)
    with store.write() as connection:
        connection.execute(
            insert(schema.campaigns).values(**CAMPAIGN, audience="lead.email == 'Aram@example.com'")
        )
    Eraser(store).erase(aram, "ops")
    with store.read() as connection:
        held = everything(connection)
        notes = connection.execute(
            select(schema.events.c.properties).where(schema.events.c.name == "demo.booked")
        ).scalars()
        assert list(notes) == [{"note": "ask … and Nare"}]
    for name, text in held.items():
        assert "aram@" not in text.lower(), name
        assert "crm-aram" not in text, name
    assert "+37491123499" in held["leads"]


def test_a_name_that_another_has_by_now_stays(store: Store) -> None:
    House(store)
    ingest = Ingest(store, WORKSPACE)
    one = ingest.upsert_lead(LeadIn(email="aram@example.com")).body["id"]
    other = ingest.upsert_lead(LeadIn(external_id="crm-nare")).body["id"]
    merged = ingest.merge_leads(one, other, "command", into=other)
    ingest.undo_merge(merged.id)
    ingest.upsert_lead(LeadIn(id=one, email=None, phone="+37491123499"))
    ingest.upsert_lead(LeadIn(id=other, email="aram@example.com"))
    Eraser(store, machine=machine_clock).erase(one, "ops")
    with store.read() as connection:
        kept = select(schema.leads.c.email).where(schema.leads.c.id == other)
        assert connection.execute(kept).scalar_one() == "aram@example.com"


@pytest.mark.parametrize(
    ("audience", "left"),
    [
        ("lead.email == 'Ani@Example.com'", "lead.email == '…'"),
        ("lead.phone in ['+37491123456', '+37491123457']", "lead.phone in ['…', '+37491123457']"),
        ('lead.external_id == "team" and lead.plan != "x"', 'lead.external_id == "…" and lead.plan != "x"'),
        ("lead.plan == 'team'", "lead.plan == 'team'"),
        ("lead.email == 'miriani@example.com'", "lead.email == 'miriani@example.com'"),
        ("lead.email == 'ani@example.com.am'", "lead.email == 'ani@example.com.am'"),
        ("'@example.com' in lead.email", "'@example.com' in lead.email"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_condition_of_a_campaign_names_the_erased_no_more(store: Store, audience: str, left: str) -> None:
    House(store)
    ingest = Ingest(store, WORKSPACE)
    said = LeadIn(email="ani@example.com", phone="+37491123456", external_id="team")
    ani = ingest.upsert_lead(said).body["id"]
    with store.write() as connection:
        words = {"name": "for ani@example.com", "audience": audience, "pause_reason": "ani@example.com asked"}
        connection.execute(insert(schema.campaigns).values({**CAMPAIGN, **words}))
    Eraser(store).preview(ani)
    Eraser(store).erase(ani, "ops")
    with store.read() as connection:
        kept = connection.execute(select(schema.campaigns)).one()
    assert (kept.audience, kept.name, kept.pause_reason) == (left, "for …", "… asked")
    compile_expression(kept.audience)


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("to ANI@example.com", "to …"),
        (["x", {"ani@example.com": ["ani@example.com", 5]}], ["x", {"…": ["…", 5]}]),
        (None, None),
        (5, 5),
    ],
)
def test_names_are_found_wherever_they_stand(value: Any, cleaned: Any) -> None:
    assert clean(value, re.compile(re.escape("ani@example.com"), re.IGNORECASE)) == cleaned
