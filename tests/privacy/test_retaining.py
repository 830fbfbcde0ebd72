"""Retention: what has been kept for long enough goes by itself; what is still needed stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from activities.deliver import Settled
from activities.sweep import Patience, Sweeper
from dripline.clock import machine_clock
from dripline.language.plan import DelayStep, Duration, Plan
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.retaining import Keeper
from dripline.reports.surveys import list_answers, read_results
from dripline.store import schema
from dripline.store.audit import last_act, record_act
from dripline.store.database import Store
from tests.durable.house import House
from tests.engine.plans import email, plan

LONG_AGO = machine_clock() - timedelta(days=400)
LATELY = machine_clock() - timedelta(days=10)
HELLO = plan(email("hello"))
RESTING = plan(email("hello", next="rest"), DelayStep(id="rest", duration=Duration(months=12)))


def keeper(store: Store, **kept: str) -> Keeper:
    workspace = Workspace.model_validate({"timezone": "UTC", "locales": ["en"], "retention": kept})
    return Keeper(store, workspace, Eraser(store))


def lived(store: Store, journey: Plan = HELLO) -> House:
    """A lead that entered long ago, and was sent a message then."""
    house = House(store, journey)
    [run] = house.happens("lead.created", LONG_AGO, note="long ago")
    [delivery] = house.advance(run, LONG_AGO).deliver
    assert house.deliveries.attempt(delivery.message) is Settled.YES
    return house


def values(store: Store, column: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(column)).scalars())


def test_texts_of_messages_go_and_that_they_were_sent_stays(store: Store) -> None:
    house = lived(store)
    assert house.message().body is not None
    assert keeper(store, messages="1 year").carry_out() == {"messages": 1}
    row = house.message()
    assert (row.subject, row.html, row.body, row.context) == (None, None, None, {})
    assert (row.state, row.recipient) == ("accepted", "ani@example.com")


def test_what_is_younger_stays(store: Store) -> None:
    lived(store)
    assert keeper(store, messages="2 years", events="2 years").carry_out() == {}


def test_a_message_that_waits_keeps_its_text(store: Store) -> None:
    house = lived(store)
    with store.write() as connection:
        connection.execute(update(schema.messages).values(accepted_at=None, held_at=LONG_AGO))
    assert keeper(store, messages="1 year").carry_out() == {}
    assert house.message().body is not None


def test_properties_of_events_go_and_that_they_happened_stays(store: Store) -> None:
    lived(store)
    assert keeper(store, events="1 year").carry_out() == {"events": 1}
    assert values(store, schema.events.c.properties) == [{}]
    assert values(store, schema.events.c.name) == ["lead.created"]


def test_events_of_a_lead_in_a_journey_stay_until_it_has_left(store: Store) -> None:
    lived(store, RESTING)
    assert keeper(store, events="30 days").carry_out() == {}
    with store.write() as connection:
        connection.execute(update(schema.runs).values(ended_at=LATELY, outcome="finished"))
    assert keeper(store, events="30 days").carry_out() == {"events": 1}


def test_answers_copies_opens_and_imported_rows_go(store: Store) -> None:
    house = lived(store)
    message = house.message().id
    with store.write() as connection:
        for at in (LONG_AGO, LATELY):
            connection.execute(insert(schema.hits).values(message_id=message, kind="open", at=at))
            reply = {"sender": "+37491123456", "body": "yes", "intent": "reply", "channel": "sms"}
            connection.execute(insert(schema.inbound).values(id=str(at), lead_id="lead-1", at=at, **reply))
            copy = {"channel": "email", "recipient": "a@example.com", "sender": "us", "body": "hello"}
            connection.execute(insert(schema.mailbox).values(key=str(at), at=at, **copy))
            file = {"file": "leads.csv", "digest": str(at), "mapping": {}, "counts": {}}
            connection.execute(insert(schema.imports).values(id=str(at), at=at, **file))
            connection.execute(
                insert(schema.import_rows).values(import_id=str(at), line=2, lead_id="lead-1", what="created")
            )
    kept = dict.fromkeys(("replies", "hits", "mailbox", "imports"), "100 days")
    assert keeper(store, **kept).carry_out() == {"replies": 1, "hits": 1, "mailbox": 1, "imports": 1}
    assert len(values(store, schema.imports.c.id)) == 2


def test_words_of_answers_go_and_the_answers_stay(store: Store) -> None:
    lived(store)
    with store.write() as connection:
        for at, words in ((LONG_AGO, "too slow"), (LATELY, "quick"), (LONG_AGO + timedelta(days=1), None)):
            said = {"answer": "3", "score": 3.0, "comment": words, "answered_at": at, "about": {}}
            ask = {"survey": "recommend", "kind": "nps", "lead_id": "lead-1", "asked_at": at}
            connection.execute(insert(schema.survey_asks).values(id=str(at), **ask, **said))
    with store.read() as connection:
        before = read_results(connection, "recommend", "nps").total
    [outlook] = keeper(store, comments="100 days").look()
    assert (outlook.name, outlook.due) == ("comments", 1)
    assert keeper(store, comments="100 days").carry_out() == {"comments": 1}
    assert keeper(store, comments="100 days").carry_out() == {}
    with store.read() as connection:
        assert read_results(connection, "recommend", "nps").total == before, "figures stay as they were"
        left = [row.comment for row in list_answers(connection, "recommend", 10, commented=True)]
    assert left == ["quick"]


def test_the_newest_line_of_each_kind_of_the_audit_log_stays(store: Store) -> None:
    with store.write() as connection:
        for at in (LONG_AGO, LONG_AGO + timedelta(days=1), LATELY):
            record_act(connection, "backup", "ops", None, at)
        record_act(connection, "restore", "ops", None, LONG_AGO)
    assert keeper(store, audit="100 days").carry_out() == {"audit": 2}
    with store.read() as connection:
        assert last_act(connection, "restore") is not None


def silent(store: Store, **lead: Any) -> None:
    """A lead to whom nothing has happened for long."""
    with store.write() as connection:
        row = {"consent": {}, "topics": {}, "attributes": {}, "created_at": LONG_AGO, "updated_at": LONG_AGO}
        connection.execute(insert(schema.leads).values({**row, **lead}))


def test_a_visitor_whom_nobody_knows_goes_without_a_trace(store: Store) -> None:
    silent(store, id="visitor")
    silent(store, id="known", external_id="crm-1")
    with store.write() as connection:
        name = {"kind": "anonymous_id", "value": "cookie", "lead_id": "visitor", "created_at": LONG_AGO}
        connection.execute(insert(schema.identities).values(name))
    assert keeper(store, anonymous="90 days").carry_out() == {"anonymous": 1}
    assert values(store, schema.leads.c.id) == ["known"]
    assert values(store, schema.identities.c.value) == []


@pytest.mark.parametrize(
    ("change", "goes"),
    [
        ({}, True),
        ({"consent": {"email": False}}, True),
        ({"consent": {"email": True}}, False),
        ({"consent": {"sms": True}}, False),
        ({"updated_at": LATELY}, False),
    ],
)
def test_an_idle_lead_without_consent_goes(store: Store, change: dict[str, Any], goes: bool) -> None:
    silent(store, id="lead", **{"email": "ani@example.com", **change})
    assert keeper(store, idle="1 year").carry_out() == ({"idle": 1} if goes else {})


def test_who_did_something_lately_or_is_in_a_journey_is_not_idle(store: Store) -> None:
    house = lived(store, RESTING)
    with store.write() as connection:
        connection.execute(update(schema.leads).values(consent={}, updated_at=LONG_AGO))
    assert keeper(store, idle="100 days").carry_out() == {}
    with store.write() as connection:
        connection.execute(update(schema.runs).values(ended_at=LATELY, outcome="finished"))
    house.happens("order.paid", LATELY)
    assert keeper(store, idle="100 days").carry_out() == {}


def test_who_is_erased_for_being_idle_may_come_back(store: Store) -> None:
    silent(store, id="lead", email="ani@example.com")
    keeper(store, idle="1 year").carry_out()
    assert values(store, schema.suppressions.c.reason) == []


def test_it_goes_in_batches_and_goes_on_where_it_stopped(store: Store) -> None:
    with store.write() as connection:
        copy = {
            "channel": "email",
            "recipient": "a@example.com",
            "sender": "us",
            "body": "hello",
            "headers": {},
        }
        rows = [{"key": f"m-{number}", "at": LONG_AGO, **copy} for number in range(450)]
        connection.execute(insert(schema.mailbox), rows)
    one = keeper(store, mailbox="30 days")
    assert one.carry_out(seconds=0.0) == {} or len(values(store, schema.mailbox.c.key)) > 0
    one.carry_out()
    assert values(store, schema.mailbox.c.key) == []


def test_what_went_is_audited_with_counts_and_nothing_else(store: Store) -> None:
    lived(store)
    keeper(store, messages="1 year", events="1 year").carry_out()
    keeper(store, messages="1 year", events="1 year").carry_out()
    with store.read() as connection:
        lines = connection.execute(select(schema.audit).where(schema.audit.c.what == "retention")).all()
    assert [(line.by, line.detail) for line in lines] == [("retention", {"messages": 1, "events": 1})]


def test_a_look_tells_what_is_due_and_when_the_next_is_and_changes_nothing(store: Store) -> None:
    house = lived(store)
    house.happens("order.paid", LATELY, total=5)
    told = {one.name: one for one in keeper(store, events="1 year", messages="2 years").look()}
    assert (told["events"].due, told["messages"].due) == (1, 0)
    later = LATELY.replace(year=LATELY.year + 1)
    next_at = told["events"].next_at
    assert next_at is not None
    assert abs(next_at - later) < timedelta(days=2)
    assert house.message().body is not None


def test_the_sweep_does_it_once_an_hour(store: Store) -> None:
    house = lived(store)
    sweeper = Sweeper(store, {}, Patience(), house.clock, keeper(store, messages="1 year"))
    sweeper.sweep()
    assert house.message().body is None
    with store.write() as connection:
        connection.execute(update(schema.messages).values(body="again"))
    sweeper.sweep()
    assert house.message().body == "again"
    house.clock.offset = timedelta(hours=2)
    sweeper.sweep()
    assert house.message().body is None
