"""What turns do to leads and to other journeys, in a real store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from dripline.engine.effects import TOO_LONG
from dripline.engine.entering import MAX_DEPTH
from dripline.ingest.enrolment import enrol
from dripline.ingest.refusal import Refused
from dripline.language.plan import (
    DelayStep,
    Duration,
    EnrollStep,
    Exit,
    Goal,
    LeadValue,
    Plan,
    Trigger,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
)
from dripline.language.workspace import load_workspace
from dripline.store import schema
from dripline.store.database import Store
from tests.durable.house import NOW, House
from tests.engine.plans import email, on, plan

DAY = Duration(days=1)
SCORE = UpdateStep(
    id="update",
    stage=LeadValue(kind="text", value="hot"),
    score_add=LeadValue(kind="number", value=10),
    tags_add=("vip",),
    attributes={"plan": LeadValue(kind="text", value="gold")},
    next="rest",
)


def journey(name: str, *steps: Any, **more: Any) -> Plan:
    return plan(*steps, journey=name, **more)


def lead(house: House) -> Any:
    with house.store.read() as connection:
        return connection.execute(select(schema.leads)).one()


def events(house: House, name: str) -> list[Any]:
    with house.store.read() as connection:
        return list(connection.execute(select(schema.events).where(schema.events.c.name == name)).all())


def runs_of(house: House, name: str) -> list[Any]:
    query = select(schema.runs).where(schema.runs.c.journey == name).order_by(schema.runs.c.started_at)
    with house.store.read() as connection:
        return list(connection.execute(query).all())


def notes(house: House, what: str) -> list[Any]:
    with house.store.read() as connection:
        query = select(schema.step_log.c.detail).where(schema.step_log.c.what == what)
        return list(connection.execute(query).scalars())


def test_an_update_changes_the_lead_and_is_told_to_every_journey(store: Store) -> None:
    hears = journey(
        "hears", email("hello"), trigger=Trigger(on=on("lead.updated", when="'plan' in event.changed"))
    )
    house = House(store, journey("scores", SCORE, DelayStep(id="rest", duration=DAY)), hears)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    changed = lead(house)
    assert (changed.stage, changed.score, changed.tags, changed.attributes) == (
        "hot",
        10,
        ["vip"],
        {"plan": "gold"},
    )
    [event] = events(house, "lead.updated")
    assert event.properties == {"changed": ["plan", "score", "stage", "tags"]}
    [heard] = runs_of(house, "hears")
    assert (event.depth, heard.depth, heard.wake_wanted) == (1, 1, 1)


def test_a_second_update_to_the_same_changes_nothing(store: Store) -> None:
    once = SCORE.model_copy(update={"score_add": None})
    house = House(store, journey("scores", once, DelayStep(id="rest", duration=DAY)))
    with store.write() as connection:
        connection.execute(
            update(schema.leads).values(stage="hot", tags=["vip"], attributes={"plan": "gold"})
        )
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert events(house, "lead.updated") == []
    assert notes(house, "updated") == [{"changed": []}]


def test_a_run_that_its_own_change_ends_has_looked_at_it_in_the_same_turn(store: Store) -> None:
    way_out = Exit(on=on("lead.updated", when="lead.stage == 'hot'", event_only=False), reason="hot")
    house = House(store, journey("scores", SCORE, email("rest", next=None), exits=(way_out,)))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    ended = house.run(run)
    assert (ended.outcome, ended.outcome_reason) == ("exit", "hot")
    assert ended.wake_wanted == ended.wake_done
    assert house.messages() == []
    with store.read() as connection:
        assert connection.execute(select(schema.inbox.c.taken_in)).scalars().all() == [1]


def test_another_run_that_waits_for_the_change_goes_on(store: Store) -> None:
    waits = journey("waits", WaitForStep(id="wait", on=on("lead.updated"), then=None))
    house = House(store, waits, journey("scores", SCORE, DelayStep(id="rest", duration=DAY)))
    first, second = sorted(house.happens("lead.created"), key=lambda run: house.run(run).journey != "waits")
    house.advance(first, NOW)
    house.advance(second, NOW)
    assert house.run(first).wake_wanted > house.run(first).wake_done
    house.advance(first, NOW)
    assert house.run(first).outcome == "finished"


def test_journeys_that_set_one_another_going_come_to_an_end(store: Store) -> None:
    counting = journey(
        "round",
        UpdateStep(id="update", score_add=LeadValue(kind="number", value=1)),
        trigger=Trigger(on=on("lead.updated"), reentry="always"),
    )
    other = counting.model_copy(update={"journey": "round-again"})
    house = House(store, counting, other)
    house.happens("lead.updated")
    for _ in range(200):
        open_ones = [
            run for name in ("round", "round-again") for run in runs_of(house, name) if not run.ended_at
        ]
        if not open_ones:
            break
        house.advance(open_ones[0].id, NOW)
    every = [*runs_of(house, "round"), *runs_of(house, "round-again")]
    assert {run.outcome for run in every} == {"finished", "too-long"}
    assert {run.outcome_reason for run in every if run.outcome == "too-long"} == {TOO_LONG}
    assert max(run.depth for run in every) == MAX_DEPTH


def test_a_lead_enters_another_journey_once(store: Store) -> None:
    other = journey(
        "other",
        email("hello", next="rest"),
        DelayStep(id="rest", duration=DAY),
        trigger=Trigger(on=on("never")),
    )
    enters = journey(
        "enters", EnrollStep(id="in", journey="other", next="again"), EnrollStep(id="again", journey="other")
    )
    house = House(store, other, enters)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    [entered] = runs_of(house, "other")
    assert (entered.depth, entered.wake_wanted) == (1, 1)
    assert [note["reason"] for note in notes(house, "enrolled")] == [
        None,
        "the lead is in the journey already",
    ]
    assert len(events(house, "journey.enrolled")) == 1
    house.advance(entered.id, NOW)
    assert house.message().template == "hello"


def test_a_journey_that_is_not_published_or_paused_is_not_entered(store: Store) -> None:
    other = journey("other", email("hello"), trigger=Trigger(on=on("never")))
    enters = journey(
        "enters", EnrollStep(id="in", journey="other", next="lost"), EnrollStep(id="lost", journey="lost")
    )
    house = House(store, other, enters)
    with store.write() as connection:
        connection.execute(
            update(schema.journeys).where(schema.journeys.c.id == "other").values(paused_at=NOW)
        )
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert [note["reason"] for note in notes(house, "enrolled")] == [
        "the journey is paused",
        "the journey is not published",
    ]
    assert house.run(run).outcome == "finished"


def test_a_journey_is_left_and_its_message_is_not_sent(store: Store) -> None:
    other = journey("other", email("hello", next="rest"), DelayStep(id="rest", duration=DAY))
    leaves = journey(
        "leaves",
        UnenrollStep(id="out", journey="other", next="more"),
        UnenrollStep(id="more", journey="other"),
        trigger=Trigger(on=on("order.paid")),
    )
    house = House(store, other, leaves)
    [left] = house.happens("lead.created")
    [delivery] = house.advance(left, NOW).deliver
    [run] = house.happens("order.paid", NOW + timedelta(hours=1))
    house.advance(run, NOW + timedelta(hours=1))
    ended = house.run(left)
    assert (ended.outcome, ended.outcome_reason) == ("unenrolled", "by leaves")
    assert ended.wake_wanted > ended.wake_done
    assert house.advance(left, NOW + timedelta(hours=2)).ended
    house.deliveries.deliver(delivery.message)
    assert house.message().state == "skipped"
    assert [note["ended"] for note in notes(house, "unenrolled")] == [1, 0]


@pytest.mark.parametrize("late", [0, 3])
def test_a_lead_that_was_changed_keeps_its_own_time(store: Store, late: int) -> None:
    house = House(store, journey("scores", SCORE, DelayStep(id="rest", duration=DAY)))
    [run] = house.happens("lead.created")
    house.advance(run, NOW + timedelta(days=late))
    assert house.run(run).outcome == ("finished" if late else None)


def test_each_value_of_a_key_has_a_run_of_its_own(store: Store) -> None:
    goal = Goal(on=on("shipped"), within=Duration(days=30))
    keyed = journey(
        "orders",
        DelayStep(id="rest", duration=DAY),
        trigger=Trigger(on=on("order.paid"), key="order"),
        goal=goal,
    )
    house = House(store, keyed)
    [first] = house.happens("order.paid", order="A-1")
    [second] = house.happens("order.paid", order="A-2")
    assert house.happens("order.paid", order="A-1") == []
    assert [run.key for run in runs_of(house, "orders")] == ["A-1", "A-2"]
    for run in (first, second):
        house.advance(run, NOW + timedelta(minutes=1))
    house.happens("shipped", NOW + timedelta(hours=1), order="A-2")
    for run in (first, second):
        house.advance(run, NOW + timedelta(hours=2))
    assert [house.run(run).outcome for run in (first, second)] == [None, "goal"]
    house.advance(first, NOW + timedelta(days=3))
    house.happens("shipped", NOW + timedelta(days=4), order="A-3")
    assert house.run(first).converted_at is None
    house.happens("shipped", NOW + timedelta(days=5), order="A-1")
    assert house.run(first).converted_at is not None


def test_a_manual_journey_is_entered_by_hand_alone(store: Store) -> None:
    by_hand = journey("by-hand", email("hello"), trigger=Trigger(on=on(), reentry="always"))
    house = House(store, by_hand)
    assert house.happens("lead.created") == []
    workspace, _ = load_workspace(Path(__file__).parents[2])
    assert workspace is not None
    with store.write() as connection:
        done = enrol(connection, workspace, "lead-1", "by-hand", {}, NOW, NOW)
    house.advance(done.run_id, NOW)
    assert house.message().template == "hello"
    with store.write() as connection, pytest.raises(Refused) as refusal:
        enrol(connection, workspace, "lead-1", "by-hand", {"seats": 3}, NOW, NOW)
    assert refusal.value.status == 422
