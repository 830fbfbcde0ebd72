"""What people have to do with two leads when they become one, and two again: owners, tasks, stages, customers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from dripline.ingest.hands import Hands
from dripline.ingest.merging.merge import Merged, Times, merge
from dripline.ingest.merging.unmerge import unmerge
from dripline.ingest.recording import record
from dripline.language.orders import OrderRules
from dripline.language.rules import Rules
from dripline.language.workspace import Workspace
from dripline.reports.owners import report_owners
from dripline.reports.period import Period
from dripline.store import schema
from dripline.store.assignments import assignments_of, records_of
from dripline.store.customers import customer_of
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import load_lead
from dripline.store.rules import keep_rules
from dripline.store.stages import stage_history
from dripline.store.tasks import list_tasks
from tests.ingest.journeys import MONDAY, a_lead, a_plan, published

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
HOUR = timedelta(hours=1)
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "people": {name: {"email": f"{name}@shop.example"} for name in ("anna", "aram", "lilit")},
        "teams": {"sales": {"people": ["anna", "aram"], "react": "2h"}},
        "attributes": {"company": "text", "contract": "text"},
    }
)


class House:
    """A store, people in it, and a clock that goes on by an hour with everything that is done."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = MONDAY
        self.hands = Hands(store, WORKSPACE, machine=lambda: self.now)
        with store.write() as connection:
            orders = OrderRules(event="order.paid", customer=True)
            keep_rules(connection, Rules(currency="AMD", orders=orders), MONDAY)
            a_lead(connection, "ani", email="ani@example.com")
            a_lead(connection, "ann", phone="+37491123456")
            younger = MONDAY + timedelta(minutes=1)
            table = schema.leads
            connection.execute(update(table).where(table.c.id == "ann").values(created_at=younger))

    def later(self) -> Hands:
        self.now += HOUR
        return self.hands

    def happens(self, name: str, lead: str, **properties: Any) -> Any:
        self.later()
        with self.store.write() as connection:
            event = Event(f"{name}-{self.now.isoformat()}", lead, name, properties, self.now)
            return record(connection, event, self.now)

    def merge(self) -> Merged:
        self.later()
        with self.store.write() as connection:
            return merge(connection, "ani", "ann", "command", Times(self.now, self.now))

    def unmerge(self, done: Merged) -> Any:
        self.later()
        with self.store.write() as connection:
            return unmerge(connection, done.id, Times(self.now, self.now))

    def owners(self, lead: str = "ani") -> list[tuple[str, str | None]]:
        """Who was given the lead, and why no longer."""
        with self.store.read() as connection:
            return [(row.person, row.ended) for row in assignments_of(connection, lead)]

    def tasks(self, lead: str = "ani") -> dict[str, str | None]:
        """Whose the open tasks are, by their titles."""
        with self.store.read() as connection:
            return {row.title: row.person for row in list_tasks(connection, lead_id=lead)}

    def lead(self, lead: str = "ani") -> Any:
        with self.store.read() as connection:
            return load_lead(connection, lead)


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


def test_the_one_lead_has_one_owner_to_whom_the_other_s_tasks_go_and_two_leads_have_two_again(
    house: House,
) -> None:
    house.later().assign("ani", "anna")
    house.later().assign("ann", "aram")
    house.later().set_task("ann", "Call Ann")
    house.later().set_task("ann", "Send the papers", "lilit")
    done = house.merge()
    assert house.lead().owner == "anna"
    assert house.owners() == [("anna", None), ("aram", "merged")]
    assert house.tasks() == {"Call Ann": "anna", "Send the papers": "lilit"}
    with house.store.read() as connection:
        records = records_of(connection, ["anna", "aram"], house.now)
    assert {name: (one.open, one.given) for name, one in records.items()} == {"anna": (1, 0), "aram": (0, 0)}
    house.unmerge(done)
    assert (house.lead().owner, house.lead("ann").owner) == ("anna", "aram")
    assert (house.owners(), house.owners("ann")) == ([("anna", None)], [("aram", None)])
    assert (house.tasks(), house.tasks("ann")) == ({}, {"Call Ann": "aram", "Send the papers": "lilit"})


@SQLITE
def test_who_alone_has_one_of_the_two_keeps_it(house: House) -> None:
    house.later().assign("ann", "aram")
    house.later().set_task("ani", "Ask them")
    done = house.merge()
    assert house.lead().owner == "aram"
    assert house.owners() == [("aram", None)]
    house.unmerge(done)
    assert (house.owners(), house.owners("ann")) == ([], [("aram", None)])
    assert house.lead().owner is None


@SQLITE
def test_of_two_that_one_person_has_the_one_stays_to_which_they_have_reacted(house: House) -> None:
    house.later().assign("ani", "anna")
    house.later().assign("ann", "anna")
    house.hands.reacted("ann")
    done = house.merge()
    assert house.owners() == [("anna", "merged"), ("anna", None)]
    house.unmerge(done)
    assert (house.owners(), house.owners("ann")) == ([("anna", None)], [("anna", None)])


@SQLITE
def test_what_people_did_since_stays_and_the_other_s_owner_has_it_again(house: House) -> None:
    house.later().assign("ani", "anna")
    house.later().assign("ann", "aram")
    house.later().set_task("ann", "Call Ann")
    done = house.merge()
    house.later().assign("ani", "lilit")
    house.later().set_stage("ani", "lost", "too expensive", "api")
    house.unmerge(done)
    assert house.owners() == [("anna", "reassigned"), ("lilit", "lost")]
    assert (house.lead().owner, house.lead().stage) == ("lilit", "lost")
    assert house.owners("ann") == [("aram", None)]
    assert (house.lead("ann").owner, house.lead("ann").stage) == ("aram", None)
    assert house.tasks("ann") == {"Call Ann": "aram"}


@SQLITE
def test_a_task_that_was_done_or_given_on_meanwhile_is_left_as_it_is(house: House) -> None:
    house.later().assign("ani", "anna")
    house.later().assign("ann", "aram")
    call = house.later().set_task("ann", "Call Ann")
    house.later().set_task("ann", "Write to Ann", due=house.now + HOUR, escalate_to="lilit")
    done = house.merge()
    house.hands.finish_task(call.id, "anna", "wants it")
    with house.store.write() as connection:
        over = update(schema.tasks).where(schema.tasks.c.title == "Write to Ann")
        connection.execute(over.values(person="lilit", escalated_from="anna", overdue_at=house.now))
    house.unmerge(done)
    with house.store.read() as connection:
        rows = list_tasks(connection, lead_id="ann", everything=True)
    assert {row.title: (row.person, row.done_by) for row in rows} == {
        "Call Ann": ("anna", "anna"),
        "Write to Ann": ("lilit", None),
    }


@SQLITE
def test_two_runs_of_one_journey_leave_one_task_of_a_step(house: House) -> None:
    with house.store.write() as connection:
        published(connection, a_plan(on="visit"))
    [mine] = house.happens("visit", "ani").started
    [theirs] = house.happens("visit", "ann").started
    for run, lead, step, title in (
        (mine, "ani", "call", "Call Ani"),
        (theirs, "ann", "call", "Call Ann"),
        (theirs, "ann", "visit", "Visit Ann"),
    ):
        row = {"id": title, "lead_id": lead, "run_id": run, "journey": "welcome", "step": step, "visit": 1}
        with house.store.write() as connection:
            added = {**row, "person": "anna", "title": title, "created_at": house.now}
            connection.execute(insert(schema.tasks).values(**added))
    done = house.merge()
    assert list(done.ended) == [theirs]
    assert set(house.tasks()) == {"Call Ani", "Visit Ann"}
    house.unmerge(done)
    assert (set(house.tasks()), set(house.tasks("ann"))) == ({"Call Ani"}, {"Call Ann", "Visit Ann"})


def test_a_customer_by_an_order_is_one_of_the_one_lead_and_of_two_again(house: House) -> None:
    house.later().assign("ann", "aram")
    house.later().set_stage("ann", "lead", "asked", "api")
    house.happens("demo.booked", "ann")
    house.happens("order.paid", "ann", order_id="A-1", total=5_000, currency="AMD")
    house.later().assign("ani", "anna")
    card, stages = _card(house, "ann"), _stages(house, "ann")
    assert [(after, reason) for after, reason in stages] == [("lead", "asked"), ("customer", None)]
    done = house.merge()
    assert (house.lead().stage, house.lead().owner) == ("customer", "anna")
    assert (_card(house, "ani"), _stages(house, "ani")) == (card, stages)
    assert house.lead().customer["order"] == "A-1"
    assert house.owners() == [("aram", "converted"), ("anna", "merged")]
    assert [row.lead_id for row in _rows(house, schema.orders)] == ["ani"]
    house.later().fill_card("ani", {"contract": "A-7"})
    back = house.unmerge(done)
    assert "customer" not in back.kept
    assert (house.lead().stage, house.lead("ann").stage) == (None, "customer")
    assert (house.owners(), house.owners("ann")) == ([("anna", None)], [("aram", "converted")])
    assert (_card(house, "ani"), _stages(house, "ani")) == (None, [])
    assert house.lead().customer is None
    assert _card(house, "ann") == {**(card or {}), "contract": "A-7"}
    assert house.lead("ann").customer["contract"] == "A-7"
    assert [row.lead_id for row in _rows(house, schema.orders)] == ["ann"]


@SQLITE
def test_what_a_run_of_the_other_s_changed_since_stays_where_stage_and_owner_are(house: House) -> None:
    with house.store.write() as connection:
        published(connection, a_plan(on="visit"))
    [theirs] = house.happens("visit", "ann").started
    house.later().assign("ann", "aram")
    done = house.merge()
    house.later().assign("ani", "lilit")
    house.later().set_stage("ani", "lead", None, "api")
    with house.store.write() as connection:  # as a step of that run would have left it
        for table in (schema.assignments, schema.stage_changes):
            newest = select(table.c.id).order_by(table.c.id.desc()).limit(1).scalar_subquery()
            connection.execute(update(table).where(table.c.id == newest).values(run_id=theirs))
    house.unmerge(done)
    assert (house.lead().owner, house.owners()) == ("lilit", [("lilit", None)])
    assert (house.lead().stage, _stages(house, "ani")) == ("lead", [("lead", None)])
    assert (house.lead("ann").owner, house.owners("ann")) == ("aram", [("aram", None)])


@SQLITE
def test_an_order_after_a_merge_is_of_who_has_the_lead_still(house: House) -> None:
    house.later().assign("ani", "anna")
    house.later().assign("ann", "aram")
    house.merge()
    house.happens("order.paid", "ani", order_id="A-1", total=5_000, currency="AMD")
    period = Period(MONDAY.date(), MONDAY.date(), WORKSPACE.zone)
    with house.store.read() as connection:
        found = report_owners(connection, period, None, "AMD")
    assert {row.key: (row.given, row.customers, row.revenue) for row in found.rows} == {
        "anna": (1, 1, 5_000),
        "aram": (1, 0, 0),
    }


@SQLITE
@pytest.mark.parametrize(
    ("said_later", "stage"),
    [("interest", "customer"), ("lead", "customer"), ("lost", "lost"), ("vip", "vip")],
)
def test_a_customer_whose_other_card_only_asks_stays_one(house: House, said_later: str, stage: str) -> None:
    house.later().set_stage("ani", "customer", None, "api")
    house.later().set_stage("ann", said_later, None, "api")
    house.merge()
    assert house.lead().stage == stage


def _card(house: House, lead: str) -> Any:
    with house.store.read() as connection:
        row = customer_of(connection, lead)
    return row.card if row is not None else None


def _stages(house: House, lead: str) -> list[tuple[str, str | None]]:
    with house.store.read() as connection:
        return [(row.after, row.reason) for row in stage_history(connection, lead)]


def _rows(house: House, table: Any) -> list[Any]:
    with house.store.read() as connection:
        return list(connection.execute(select(table)).all())
