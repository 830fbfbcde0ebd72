"""Pausing a journey with its clock, and what becomes of what a pause has kept back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.deliver import Later
from activities.sweep import Patience, Sweeper
from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import DelayStep, Duration, StopStep, WaitForStep
from dripline.store import house as the_house
from dripline.store.events import Event
from dripline.store.freezing import thaw
from dripline.store.leads import add_lead
from dripline.store.plans import set_paused
from tests.cli.conftest import Opened, run
from tests.cli.test_steering import sent
from tests.durable.house import House
from tests.durable.test_publishing import published
from tests.engine.plans import email, on, plan

DAYS = timedelta(days=1)

RESTING = plan(
    email("hello", next="rest"),
    DelayStep(id="rest", duration=Duration(days=2), next="email:offer"),
    email("offer"),
)
WAITING = plan(
    email("hello", next="wait"),
    WaitForStep(id="wait", on=on("visit"), then="came"),
    StopStep(id="came", reason="came"),
)


def enters(house: House) -> str:
    now = machine_clock()
    [run_id] = house.happens("lead.created", now)
    house.advance(run_id, now)
    return run_id


def another_enters(house: House) -> str:
    """Another lead comes in at this moment of journey time; its run."""
    at = now(house)
    with house.store.write() as connection:
        add_lead(connection, "lead-2", {"email": "nare@example.com", "consent": {"email": True}}, at)
        event = Event("in-2", "lead-2", "lead.created", {}, at)
        [run_id] = record(connection, event, machine_clock()).started
    house.advance(run_id, machine_clock())
    return run_id


def later(house: House, length: timedelta) -> None:
    """Let so much journey time pass."""
    with house.store.write() as connection:
        clock = the_house.open_house(connection).clock
        the_house.set_clock(
            connection, type(clock)(clock.machine_epoch, clock.house_epoch + length, clock.rate)
        )


def now(house: House) -> Any:
    """Journey time."""
    with house.store.write() as connection:
        return the_house.open_house(connection).clock.to_house(machine_clock())


def test_a_frozen_journey_takes_no_turns_and_goes_on_where_it_stopped(open_house: Opened) -> None:
    house = open_house(RESTING)
    run_id = enters(house)
    until = house.run(run_id).until
    later(house, 1 * DAYS)
    assert "Its waits stand still" in run("pause", "welcome", "--clock", "freeze")[1]
    later(house, 5 * DAYS)
    standing = house.advance(run_id, machine_clock())
    assert (standing.until, sent(house)) == (None, ["hello"])
    code, told = run("resume", "welcome")
    assert (code, "The waits of 1 lead go on where they stopped" in told) == (0, True)
    row = house.run(run_id)
    assert timedelta() <= row.until - until - 5 * DAYS < timedelta(minutes=1)
    assert row.wake_wanted > row.wake_done
    house.advance(run_id, machine_clock())
    assert sent(house) == ["hello"]
    later(house, 1 * DAYS)
    house.advance(run_id, machine_clock())
    assert sent(house) == ["hello", "offer"]
    assert "goes on after its pause" in run("why", "lead-1")[1]


def test_what_a_resume_did_not_come_to_is_put_off_by_the_next_turn_or_the_sweep(open_house: Opened) -> None:
    house = open_house(RESTING)
    first = enters(house)
    second = another_enters(house)
    run("pause", "welcome", "--clock", "freeze")
    later(house, 5 * DAYS)
    with house.store.write() as connection:  # a resume that was killed right after this
        set_paused(connection, "welcome", None, None)
        thaw(connection, "welcome", the_house.open_house(connection).clock.to_house(machine_clock()))
    house.advance(first, machine_clock())
    assert sent(house) == ["hello", "hello"], "not before its time"
    assert house.run(first).until > now(house) + 1 * DAYS
    assert house.run(second).until < now(house)
    Sweeper(house.store, {}, Patience()).sweep()
    assert house.run(second).until > now(house) + 1 * DAYS
    Sweeper(house.store, {}, Patience()).sweep()
    assert house.run(second).until < now(house) + 3 * DAYS, "put off once"


def test_an_event_that_comes_in_the_pause_is_taken_after_it(open_house: Opened) -> None:
    house = open_house(WAITING)
    run_id = enters(house)
    run("pause", "welcome", "--clock", "freeze")
    house.happens("visit", machine_clock())
    house.advance(run_id, machine_clock())
    assert house.run(run_id).ended_at is None
    run("resume", "welcome")
    row = house.run(run_id)
    assert row.wake_wanted > row.wake_done
    house.advance(run_id, machine_clock())
    assert house.run(run_id).outcome_reason == "came"


def test_a_journey_that_is_changed_while_it_stands_still_goes_on_by_its_new_waits(open_house: Opened) -> None:
    house = open_house(RESTING)
    run_id = enters(house)
    began = house.run(run_id).until - 2 * DAYS
    run("pause", "welcome", "--clock", "freeze")
    later(house, 5 * DAYS)
    shorter = plan(
        email("hello", next="rest"),
        DelayStep(id="rest", duration=Duration(days=1), next="email:offer"),
        email("offer"),
    )
    published(house, shorter).carry_out()
    assert house.run(run_id).until == began + 1 * DAYS, "no time has passed in it"
    run("resume", "welcome")
    assert timedelta() <= house.run(run_id).until - began - 6 * DAYS < timedelta(minutes=1)


def test_two_pauses_add_up_and_who_enters_between_them_knows_of_the_second_only(open_house: Opened) -> None:
    house = open_house(RESTING)
    run_id = enters(house)
    until = house.run(run_id).until
    for _ in range(2):
        run("pause", "welcome", "--clock", "freeze")
        later(house, 1 * DAYS)
        run("resume", "welcome")
    assert timedelta() <= house.run(run_id).until - until - 2 * DAYS < timedelta(minutes=1)
    new = another_enters(house)
    before = house.run(new).until
    run("pause", "welcome", "--clock", "freeze")
    later(house, 3 * DAYS)
    run("resume", "welcome")
    assert timedelta() <= house.run(new).until - before - 3 * DAYS < timedelta(minutes=1)


def test_a_pause_without_its_clock_lets_the_waits_run_on(open_house: Opened) -> None:
    house = open_house(RESTING)
    run_id = enters(house)
    run("pause", "welcome")
    later(house, 3 * DAYS)
    house.advance(run_id, machine_clock())
    assert sent(house) == ["hello", "offer"]
    assert "stand still" in run("pause", "welcome", "--clock", "freeze")[1]


@pytest.mark.parametrize(
    ("overdue", "state"), [("send", "accepted"), ("drop", "skipped"), ("spread 2h", "queued")]
)
def test_what_was_held_meanwhile_is_sent_dropped_or_spread(
    open_house: Opened, overdue: str, state: str
) -> None:
    house = open_house(RESTING)
    enters(house)
    run("pause", "welcome")
    key = house.message().id
    house.deliveries.attempt(key)
    assert house.message().state == "held"
    assert run("resume", "welcome", "--overdue", "sometimes")[0] == 1
    code, told = run("resume", "welcome", "--overdue", overdue, says="y\n")
    assert (code, "1 message will" in told) == (0, True)
    after = house.deliveries.attempt(key)
    assert house.message().state == state
    if overdue == "spread 2h":
        assert isinstance(after, Later)
        assert 0 < (after.seconds or 0) <= 7200
        house.clock.offset = timedelta(hours=2)
        house.deliveries.attempt(key)
        assert house.message().state == "accepted"


def test_nothing_goes_on_unless_somebody_says_yes_to_what_leaves(open_house: Opened) -> None:
    house = open_house(RESTING)
    enters(house)
    run("pause", "welcome")
    house.deliveries.attempt(house.message().id)
    assert run("resume", "welcome", "--overdue", "send", says="n\n")[0] == 1
    assert "paused since" in run("journeys")[1]
