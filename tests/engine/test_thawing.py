"""A journey that stood still goes on where it stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.thawing import thawed
from dripline.language.plan import (
    DelayStep,
    DelayUntilStep,
    Duration,
    Hours,
    Moment,
    Plan,
    RemindStep,
    Step,
    WaitForStep,
)
from tests.engine.plans import email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

DAYS = timedelta(days=1)


def stood(journey: Plan, after: timedelta, length: timedelta) -> World:
    """A run whose journey stood still for so long, so long after MONDAY."""
    world = World(journey)
    world.turn(MONDAY)
    world.state = thawed(journey, world.state, world.lead, length, MONDAY + after + length)
    return world


@given(st.integers(0, 71), st.integers(0, 1000))
def test_a_delay_and_a_timeout_last_as_long_as_without_the_pause(hours: int, pause: int) -> None:
    for step in (
        DelayStep(id="rest", duration=Duration(days=3), next="email:offer"),
        WaitForStep(id="rest", on=on("visit"), timeout=Duration(days=3), otherwise="email:offer"),
    ):
        world = stood(
            plan(email("hello", next="rest"), step, email("offer")),
            timedelta(hours=hours),
            timedelta(hours=pause),
        )
        world.live()
        assert world.sent == [MONDAY, MONDAY + 3 * DAYS + timedelta(hours=pause)]


@pytest.mark.parametrize(("pause", "sent"), [(1, "01-12 09:00"), (8, "01-19 09:00"), (7, "01-19 09:00")])
def test_monday_is_monday_whatever_stood_still(pause: int, sent: str) -> None:
    step: Step = DelayUntilStep(id="rest", moment=Moment(weekdays=(0,), at=540), next="email:offer")
    world = stood(plan(email("hello", next="rest"), step, email("offer")), 1 * DAYS, pause * DAYS)
    assert world.live()[1] == f"2026-{sent} email offer"


def test_a_day_of_the_lead_that_has_gone_by_is_now() -> None:
    step: Step = DelayUntilStep(id="rest", moment=Moment(date="lead.birthday"), next="email:offer")
    journey = plan(email("hello", next="rest"), step, email("offer"))
    lead: dict[str, Any] = {**ANI, "birthday": "2026-01-09"}
    for pause, sent in ((1, "01-09 09:00"), (10, "01-16 09:00")):
        world = World(journey, lead)
        world.turn(MONDAY)
        world.state = thawed(journey, world.state, lead, pause * DAYS, MONDAY + (1 + pause) * DAYS)
        world.turn(MONDAY + (1 + pause) * DAYS)
        world.live()
        assert world.lines[1] == f"2026-{sent} email offer"


def test_the_day_that_a_lead_named_stays_and_a_period_goes_on_where_it_stopped() -> None:
    def reminding(**until: Any) -> Plan:
        step: Step = RemindStep(
            id="keep", about="it", every=Duration(days=4), next=None, on_day="email:day", **until
        )
        return plan(step, email("day"))

    named = stood(reminding(until="lead.when"), 1 * DAYS, 2 * DAYS)
    assert named.state.wait is None, "no day is known"
    period = stood(reminding(period=Duration(days=6)), 1 * DAYS, 2 * DAYS)
    assert period.state.wait is not None
    assert period.state.wait.until == MONDAY + 6 * DAYS
    assert period.live()[0] == "2026-01-13 09:00 email day"


def test_an_event_that_came_while_it_stood_still_ends_the_wait() -> None:
    step: Step = WaitForStep(
        id="rest", on=on("visit"), timeout=Duration(days=3), then=None, otherwise="email:offer"
    )
    world = stood(plan(email("hello", next="rest"), step, email("offer")), 1 * DAYS, 10 * DAYS)
    world.turn(MONDAY + 11 * DAYS, [happened("visit", 5 * DAYS)])
    assert world.outcome is not None
    assert world.lines[-1].endswith("ended finished")


def test_a_period_goes_on_where_it_stopped_though_a_reminder_was_being_held() -> None:
    keep = RemindStep(
        id="keep", about="it", every=Duration(days=4), period=Duration(days=10), message="email:light"
    )
    night = Hours(start=8 * 60, end=10 * 60)
    journey = plan(keep, email("light", next="keep", quiet_hours=night))
    world = World(journey)
    world.turn(MONDAY)
    world.turn(MONDAY + 4 * DAYS)
    assert world.state.step == "email:light"
    world.state = thawed(journey, world.state, world.lead, 5 * DAYS, MONDAY + 9 * DAYS)
    assert world.state.loops["keep"]["end"] == (MONDAY + 15 * DAYS).isoformat()
