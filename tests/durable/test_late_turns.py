"""Turns that lose what came, or that a late worker changes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayStep,
    Duration,
    Goal,
    Limit,
    Step,
    StopStep,
    Trigger,
    WaitForStep,
)
from dripline.store import schema
from dripline.store.database import Store
from tests.durable.house import NOW, House
from tests.engine.plans import email, on, plan

DAY = timedelta(days=1)
FOREVER = plan(
    WaitForStep(id="wait", on=on("visit"), then="seen", otherwise=None),
    StopStep(id="seen", reason="seen"),
)


def test_an_event_is_looked_at_by_a_workflow_that_does_not_know_the_turn(store: Store) -> None:
    """A workflow task lost after its turn's commit, or a new Temporal: the wake is spent on a stale `seen`."""
    house = House(store, FOREVER)
    [run] = house.happens("lead.created")
    house.advance(run, NOW, seen=0)  # the worker dies here: Temporal never learns of turn 1
    house.happens("visit", NOW + DAY)  # the waker signals; the task is done again with this signal in it
    standing = house.advance(run, NOW + DAY, seen=0)  # asked after `_woken = False`
    asks_again = standing.until is not None and standing.until <= (NOW + DAY).timestamp() + 1.0
    assert standing.ended or asks_again, f"rests until {standing.until} with the event in its inbox"


def test_a_goal_after_the_end_counts_though_the_last_turn_came_late(store: Store) -> None:
    house = House(
        store,
        plan(
            DelayStep(id="rest", duration=Duration(days=1)),
            goal=Goal(on=on("order.paid"), within=Duration(days=30)),
        ),
    )
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    house.happens("order.paid", NOW + 2 * DAY)  # the worker is away; on time, the run had ended on day 1
    house.advance(run, NOW + 3 * DAY)
    row = house.run(run)
    assert (row.outcome, row.ended_at) == ("finished", NOW + DAY)
    assert row.converted_at == NOW + 2 * DAY


def test_a_late_turn_keeps_the_cap(store: Store) -> None:
    one_a_week = Limit(count=1, per=Duration(days=7))
    journeys = [plan(email("hello", limit=one_a_week), journey=name) for name in ("first", "second")]
    house = House(store, *journeys)
    for run in house.happens("lead.created"):
        house.advance(run, NOW + 10 * DAY)  # the workers were away for ten days
    assert sorted(row.state for row in house.messages()) == ["queued", "skipped"]


def test_the_brake_sees_a_flood_after_an_outage(store: Store) -> None:
    steps: list[Step] = []
    for number in range(25):
        steps += [
            email(f"m{number}", next=f"rest{number}"),
            DelayStep(id=f"rest{number}", duration=Duration(days=1), next=f"email:m{number + 1}"),
        ]
    steps[-1] = StopStep(id="rest24", reason="done")
    house = House(store, plan(*steps))
    [run] = house.happens("lead.created")
    standing = house.advance(run, NOW + 30 * DAY)
    for delivery in standing.deliver:
        house.deliveries.attempt(delivery.message)
    assert len(house.email.sent) <= 20, f"{len(house.email.sent)} messages to one lead within a minute"


def test_entering_works_by_a_plan_that_an_older_release_stored(store: Store) -> None:
    """A release that adds a field with a default to the plan's models changes `plan.hash` of stored bodies."""
    house = House(store, plan(email("hello")))
    with store.write() as connection:
        body = dict(connection.execute(select(schema.plans.c.body)).scalar_one())
        body["title"] = "Hello"
        del body["currency"]  # as stored by a release that did not know this field yet
        older = "0" * 64
        connection.execute(
            schema.plans.insert().values(hash=older, journey="welcome", body=body, created_at=NOW)
        )
        connection.execute(update(schema.journeys).values(plan_hash=older))
    [run] = house.happens("lead.created")
    assert house.run(run).plan_hash == older


def test_a_condition_that_fails_on_one_event_does_not_keep_the_others_from_the_run(store: Store) -> None:
    from dripline.language.plan import Exit

    house = House(
        store,
        plan(
            WaitForStep(id="wait", on=on("visit", when="10 / event.pages > 1"), then=None, otherwise=None),
            exits=(Exit(on=on("lead.unsubscribed"), reason="unsubscribed"),),
            trigger=Trigger(on=on("lead.created")),
        ),
    )
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    house.happens("visit", NOW + DAY, pages=0)
    house.advance(run, NOW + DAY)
    house.happens("lead.unsubscribed", NOW + 2 * DAY)
    house.advance(run, NOW + 2 * DAY)
    assert house.run(run).outcome == "exit", house.run(run).parked_reason


def test_an_event_behind_more_steps_than_one_turn_takes_is_taken_by_a_later_turn(store: Store) -> None:
    hourly = plan(
        DelayStep(id="rest", duration=Duration(seconds=3600), next="again"),
        BranchStep(id="again", arms=(Arm(when=None, to="rest"),)),
    )
    house = House(store, hourly)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    house.happens("lead.unsubscribed", NOW + 60 * DAY)  # the workers were away for sixty days
    turns = 1
    while not house.advance(run, NOW + 60 * DAY).ended:
        turns += 1
        assert turns < 10
    assert turns > 1
    assert house.run(run).outcome == "exit"
    assert house.run(run).ended_at == NOW + 60 * DAY
