"""Leads handed over to people, tasks, and what is overdue, in a real store."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from dripline.clock import HouseClock
from dripline.engine.picking import Handover
from dripline.ingest.assigning import Occasion
from dripline.ingest.assigning import hand_over as hand_over_to
from dripline.ingest.overdue import Overdue
from dripline.ingest.recording import record
from dripline.ingest.tasks import finish
from dripline.language.plan import (
    AssignStep,
    Duration,
    LeadValue,
    NotifyStep,
    Person,
    Plan,
    TaskStep,
    Team,
    TemplateSource,
    UpdateStep,
    WaitForStep,
)
from dripline.language.rules import Rules
from dripline.privacy.erasing import Eraser
from dripline.store import assignments, schema, tasks
from dripline.store.customers import customer_of
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import set_clock
from dripline.store.leads import add_lead, facts, load_lead
from dripline.store.plans import publish
from dripline.store.rules import keep_rules
from dripline.store.stages import stage_history
from tests.durable.house import NOW, Clock, House, Thread
from tests.engine.plans import on, plan

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
PEOPLE = {name: Person(email=f"{name}@shop.example") for name in ("anna", "aram", "lilit")}
SALES = Team(
    people=("anna", "aram"), fallback="lilit", react=Duration(seconds=7200), reactions=("call.made",)
)
ASSIGN = AssignStep(id="assign:sales", to="sales", result="seller", next="tell")
TELL = NotifyStep(id="tell", to="owner", template="#tell", next="task")
CALL = TaskStep(
    id="task", to="owner", title="Call {{ lead.email }}", due=Duration(seconds=3600), escalate_to="lilit",
    result="call", next="wait",
)  # fmt: skip
WAIT = WaitForStep(id="wait", on=on("task.done", when="event.task == call.id", event_only=False), then="won")
WON = UpdateStep(
    id="won",
    stage=LeadValue(kind="text", value="customer"),
    stage_reason=LeadValue(kind="text", expression="event.result"),
)


def hand_over(*steps: Any, **more: Any) -> Plan:
    text = TemplateSource(markup="md", body="{{ lead.email }} is yours", subject="A lead")
    templates = {"email:#tell": {"en": text}}
    given: dict[str, Any] = {"people": PEOPLE, "teams": {"sales": SALES}, "templates": templates}
    return plan(*(steps or (ASSIGN, TELL, CALL, WAIT, WON)), **{**given, **more})


def a_house(store: Store, *plans: Plan) -> House:
    house = House(store, *(plans or (hand_over(),)))
    with store.write() as connection:
        keep_rules(connection, Rules(people=PEOPLE, teams={"sales": SALES}), NOW)
    return house


def at(house: House, now: datetime) -> Overdue:
    """What looks after the overdue, where it is that moment now (house time)."""
    clock = Clock()
    with house.store.write() as connection:
        set_clock(connection, HouseClock(machine_epoch=clock(), house_epoch=now))
    return Overdue(house.store, clock)


def lead(house: House) -> dict[str, Any]:
    with house.store.read() as connection:
        return facts(load_lead(connection, "lead-1"))


def given(house: House) -> list[Any]:
    with house.store.read() as connection:
        return assignments.assignments_of(connection, "lead-1")


def events(house: House, *names: str) -> list[tuple[str, dict[str, Any]]]:
    query = select(schema.events).where(schema.events.c.name.in_(names)).order_by(schema.events.c.seq)
    with house.store.read() as connection:
        return [(row.name, row.properties) for row in connection.execute(query)]


def the_task(house: House) -> Any:
    with house.store.read() as connection:
        [task] = tasks.list_tasks(connection, everything=True)
    return task


def test_a_lead_gets_an_owner_who_is_told_and_given_a_task(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert (lead(house)["owner"], lead(house)["owner_at"]) == ("anna", NOW)
    [row] = given(house)
    assert (row.person, row.team, row.how, row.step) == ("anna", "sales", "round-robin", "assign:sales")
    assert row.react_by == NOW + timedelta(hours=2)
    assert [one["person"] for one in row.why] == ["anna", "aram"]
    assert events(house, "lead.assigned") == [
        ("lead.assigned", {"person": "anna", "team": "sales", "how": "round-robin"})
    ]
    assert house.message().addressee == "anna@shop.example"
    task = the_task(house)
    assert (task.person, task.title, task.due_at) == (
        "anna",
        "Call ani@example.com",
        NOW + timedelta(hours=1),
    )
    assert house.run(run).variables["call"]["id"] == task.id


def test_who_does_the_task_has_reacted_and_the_run_goes_on_to_a_customer(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    house.happens("page.viewed", NOW + timedelta(minutes=1))
    with store.write() as connection:
        task = the_task(house)
        later = NOW + timedelta(minutes=30)
        assert finish(connection, task, later, later, by="anna", result="wants it")
        assert not finish(connection, task, later, later)
    house.advance(run, NOW + timedelta(minutes=31))
    [row] = given(house)
    assert row.reacted_at == later
    assert row.ended == "converted"
    assert events(house, "task.done", "lead.stage_changed", "lead.converted") == [
        ("task.done", {"task": task.id, "title": "Call ani@example.com", "result": "wants it"}),
        ("lead.stage_changed", {"after": "customer", "reason": "wants it"}),
        ("lead.converted", {}),
    ]
    with store.read() as connection:
        [change] = stage_history(connection, "lead-1")
        customer = customer_of(connection, "lead-1")
    assert (change.after, change.reason, change.owner, change.source, change.run_id) == (
        "customer", "wants it", "anna", "journey", run,
    )  # fmt: skip
    assert customer is not None
    assert customer.owner == "anna"
    assert [one.get("name") or one.get("journey") for one in customer.path] == [
        "lead.created", "welcome", "lead.assigned", "page.viewed", "task.done",
    ]  # fmt: skip
    assert customer.card["email"] == "ani@example.com"
    assert lead(house)["customer"]["since"] == customer.converted_at.isoformat()


def test_who_does_not_react_in_time_loses_the_lead_with_its_tasks_to_another(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert at(house, NOW + timedelta(minutes=119)).hand_on(10) == 0
    assert at(house, NOW + timedelta(hours=2)).hand_on(10) == 1
    first, second = given(house)
    assert (first.ended, second.person, second.how) == ("no-reaction", "aram", "no-reaction")
    assert lead(house)["owner"] == "aram"
    assert the_task(house).person == "aram"
    assert at(house, NOW + timedelta(hours=4, minutes=1)).hand_on(10) == 1
    assert given(house)[-1].how == "fallback"
    assert lead(house)["owner"] == "lilit"
    assert at(house, NOW + timedelta(days=9)).hand_on(10) == 0  # behind the fallback there is nobody
    assert [said["how"] for _, said in events(house, "lead.assigned")] == [
        "round-robin", "no-reaction", "fallback",
    ]  # fmt: skip


def test_an_event_that_the_team_names_is_a_reaction(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    house.happens("call.made", NOW + timedelta(minutes=5))
    at(house, NOW + timedelta(hours=3)).hand_on(10)
    [row] = given(house)
    assert (row.person, row.ended_at) == ("anna", None)
    assert row.reacted_at is not None


def test_a_reaction_of_the_owner_does_the_task_of_the_hand_over_and_no_other(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with store.write() as connection:
        by_hand = {"id": "other", "lead_id": "lead-1", "person": "anna", "title": "Send the papers"}
        tasks.add_task(connection, {**by_hand, "created_at": NOW})
    house.happens("call.made", NOW + timedelta(minutes=5))
    house.happens("call.made", NOW + timedelta(minutes=6))
    with store.read() as connection:
        rows = {row.title: row for row in tasks.list_tasks(connection, everything=True)}
    call = rows["Call ani@example.com"]
    assert (call.done_at, call.done_by) == (NOW + timedelta(minutes=5), "call.made")
    assert rows["Send the papers"].done_at is None
    assert [row.reacted_at for row in given(house)] == [NOW + timedelta(minutes=5)]
    assert [name for name, _ in events(house, "call.made", "task.done")] == [
        "call.made", "task.done", "call.made",
    ]  # fmt: skip
    house.advance(run, NOW + timedelta(minutes=7))
    assert lead(house)["stage"] == "customer"  # the run that waits for its task goes on


@SQLITE
def test_who_is_given_the_lead_by_hand_does_the_task_by_a_reaction_too(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with store.write() as connection:
        by_hand = Occasion(NOW + timedelta(minutes=1), NOW, because="by-hand")
        named = Handover(None, Team(people=("lilit",)), PEOPLE, "load", "UTC")
        hand_over_to(connection, load_lead(connection, "lead-1"), named, None, by_hand)
    house.happens("call.made", NOW + timedelta(minutes=5))
    assert (the_task(house).person, the_task(house).done_by) == ("lilit", "call.made")


@SQLITE
def test_what_is_told_of_the_past_and_of_a_lead_that_is_lost_does_no_task(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with store.write() as connection:
        past = Event("old", "lead-1", "call.made", {}, NOW + timedelta(minutes=5), historical=True)
        record(connection, past, NOW)
    assert the_task(house).done_at is None
    with store.write() as connection:
        assignments.end_assignments(connection, "lead-1", NOW + timedelta(minutes=6), "lost")
    house.happens("call.made", NOW + timedelta(minutes=7))
    assert the_task(house).done_at is None


@SQLITE
def test_a_reaction_from_before_the_lead_was_given_is_none(store: Store) -> None:
    house = a_house(store)
    house.happens("call.made", NOW - timedelta(minutes=5))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    at(house, NOW + timedelta(hours=2)).hand_on(10)
    assert [row.person for row in given(house)] == ["anna", "aram"]


@SQLITE
def test_only_leads_that_are_decided_say_how_good_somebody_is(store: Store) -> None:
    house = a_house(store)
    with store.write() as connection:
        for number, (days, ended) in enumerate(
            [(29, None), (31, None), (5, "converted"), (5, "lost"), (5, "reassigned"), (400, "converted")]
        ):
            add_lead(connection, f"more-{number}", {}, NOW)
            assignments.add_assignment(
                connection,
                {
                    "lead_id": f"more-{number}", "person": "anna", "team": "sales", "how": "load", "why": [],
                    "terms": {}, "at": NOW - timedelta(days=days), "ended": ended, "ended_at": ended and NOW,
                },
            )  # fmt: skip
    with house.store.read() as connection:
        anna = assignments.records_of(connection, ["anna"], NOW)["anna"]
    assert (anna.open, anna.given, anna.won) == (2, 3, 1)


@SQLITE
def test_who_is_back_is_given_leads_again(store: Store) -> None:
    a_house(store)
    with store.write() as connection:
        assignments.add_absence(connection, "anna", NOW - timedelta(days=5), NOW, "boss")
        assignments.add_absence(connection, "aram", NOW, NOW + timedelta(days=5), "boss")
        assert assignments.away_at(connection, NOW) == {"aram"}


def test_an_overdue_task_goes_to_whom_it_escalates_to_and_is_told_once(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert at(house, NOW + timedelta(minutes=61)).escalate(10) == 1
    assert at(house, NOW + timedelta(minutes=62)).escalate(10) == 0
    task = the_task(house)
    assert (task.person, task.escalated_from) == ("lilit", "anna")
    assert events(house, "task.overdue") == [
        ("task.overdue", {"task": task.id, "title": "Call ani@example.com"})
    ]


@SQLITE
def test_an_erased_lead_takes_up_nobodys_place_and_leaves_nothing_to_do(store: Store) -> None:
    house = a_house(store)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    Eraser(store).erase("lead-1", "ops")
    [row] = given(house)
    assert (row.ended, the_task(house).cancelled_at) == ("erased", row.ended_at)
    with store.read() as connection:
        anna = assignments.records_of(connection, ["anna"], NOW + timedelta(days=60))["anna"]
    assert (anna.open, anna.given) == (0, 0)
    late = at(house, NOW + timedelta(days=1))
    assert (late.hand_on(10), late.escalate(10)) == (0, 0)


def test_who_is_away_gets_nothing_and_a_lead_in_the_control_group_goes_to_nobody(store: Store) -> None:
    house = a_house(store, hand_over(holdout=100.0))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert given(house) == []
    assert house.run(run).variables["seller"] == {"skipped": True, "reason": "holdout"}
    with store.write() as connection:
        publish(connection, hand_over(journey="again"), NOW)
        assignments.add_absence(connection, "anna", NOW, NOW + timedelta(days=5), "boss")
    house.happens("demo.booked", NOW + timedelta(hours=1))
    run = _start(house, "again")
    house.advance(run, NOW + timedelta(hours=1))
    assert lead(house)["owner"] == "aram"


def _start(house: House, journey: str) -> str:
    from dripline.ingest.entering import let_in
    from dripline.store.events import Event

    when = NOW + timedelta(hours=1)
    with house.store.write() as connection:
        let_in(
            connection,
            load_lead(connection, "lead-1"),
            journey,
            Event("by-hand", "lead-1", "journey.enrolled", {}, when),
            when,
        )
        query = select(schema.runs.c.id).where(schema.runs.c.journey == journey)
        return str(connection.execute(query).scalar_one())


def test_many_leads_at_once_go_round_evenly(store: Store) -> None:
    alone = hand_over(ASSIGN.model_copy(update={"next": None}))
    house = a_house(store, alone)
    with store.write() as connection:
        for number in range(12):
            add_lead(connection, f"many-{number}", {"email": f"lead{number}@example.com"}, NOW)
    from dripline.ingest.recording import record
    from dripline.store.events import Event

    runs: list[str] = []
    with store.write() as connection:
        for number in range(12):
            event = Event(f"created-{number}", f"many-{number}", "lead.created", {}, NOW)
            runs += record(connection, event, NOW).started

    def turns(mine: list[str]) -> None:
        for one in mine:
            house.advance(one, NOW)

    threads = [Thread(f"turns-{part}", partial(turns, runs[part::4])) for part in range(4)]
    for thread in threads:
        thread.done()
    with store.read() as connection:
        counts = assignments.records_of(connection, ["anna", "aram"], NOW, "sales")
    assert sorted(one.open for one in counts.values()) == [6, 6]
