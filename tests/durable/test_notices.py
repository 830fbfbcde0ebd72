"""Notices to colleagues on their way: to their own address, whatever the lead's will, within the brakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from activities.deliver import Settled
from activities.gate import Gate
from dripline.ingest.reports import take_report
from dripline.language.plan import NotifyStep, Person, Plan, TemplateSource
from dripline.providers import DeliveryReport
from dripline.store import messages, schema
from dripline.store.database import Store
from dripline.store.house import set_stopped
from tests.durable.house import NOW, House
from tests.engine.plans import plan


def telling(**more: Any) -> Plan:
    return plan(
        NotifyStep(id="tell", to="nare", template="#tell", **more),
        people={"nare": Person(email="nare@example.com", name="Nare")},
        templates={
            "email:#tell": {
                "en": TemplateSource(
                    markup="md", body="{{ lead.email }} is here.", subject="Welcome new leads"
                )
            }
        },
    )


def test_a_notice_goes_to_the_colleague_though_the_lead_has_left(store: Store) -> None:
    house = House(store, telling())
    key = house.queued_message()
    with store.write() as connection:
        connection.execute(update(schema.leads).values(consent={}))
        connection.execute(update(schema.runs).values(outcome="exit"))
    assert house.deliveries.attempt(key) is Settled.YES
    row = house.message()
    assert (row.state, row.recipient, row.notice) == ("accepted", "nare@example.com", True)
    assert row.subject == "Welcome new leads"
    assert "ani@example.com is here." in row.body
    with store.read() as connection:
        assert messages.count_toward_limit(connection, "lead-1", NOW - timedelta(days=1)) == 0
        assert messages.count_all(connection, "lead-1", NOW - timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("unsubscribe_link()", "unsubscribe"),
        ("preferences_link()", "preferences"),
        ("confirm_link()", "confirm"),
        ("later_link(product='team')", "later?product=team"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_colleague_gets_no_link_of_the_leads(store: Store, link: str, leads_to: str) -> None:
    plain = telling()
    source = TemplateSource(markup="md", body=f"[Here]({{{{ {link} }}}})", subject="x")
    house = House(store, plain.model_copy(update={"templates": {"email:#tell": {"en": source}}}))
    house.deliveries.attempt(house.queued_message())
    assert house.message().body == f"[Here](http://127.0.0.1:8080/l/example/{leads_to})\n"


def test_a_step_may_give_its_own_subject(store: Store) -> None:
    house = House(store, telling(subject="See {{ lead.email }}"))
    house.deliveries.attempt(house.queued_message())
    assert house.message().subject == "See ani@example.com"


def test_outside_production_only_colleagues_on_the_list_are_told(store: Store) -> None:
    house = House(store, telling(), gate=Gate(lambda channel, address: address == "ani@example.com"))
    house.deliveries.attempt(house.queued_message())
    assert house.message().state == "skipped"
    assert house.email.sent == []


def test_notices_are_held_while_everything_is_stopped(store: Store) -> None:
    house = House(store, telling())
    key = house.queued_message()
    with store.write() as connection:
        set_stopped(connection, NOW)
    house.deliveries.attempt(key)
    assert house.message().state == "held"


def test_a_colleague_who_complains_does_not_speak_for_the_lead(store: Store) -> None:
    house = House(store, telling())
    key = house.queued_message()
    house.deliveries.attempt(key)
    take_report(store, DeliveryReport(key, "complained", NOW))
    with store.read() as connection:
        assert connection.execute(select(schema.leads.c.consent)).scalar_one() == {"email": True, "sms": True}
