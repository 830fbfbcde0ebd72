"""Deferred demand, told as transcripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.listening import listening
from dripline.language.plan import Duration, NotifyStep, Person, Plan, RemindStep
from tests.engine.plans import email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

DAYS = timedelta(days=1)


def later(**more: Any) -> Plan:
    given = {
        "about": "the summer",
        "every": Duration(days=10),
        "period": Duration(days=25),
        "unless": on("order.paid"),
        "message": "email:light",
        "on_day": "email:day",
        "next": "email:after",
        "result": "later",
    }
    return plan(
        RemindStep(id="remind", **(given | more)),
        email("light", next="remind"),
        email("day", next="owner"),
        NotifyStep(id="owner", to="owner", template="#owner", next="email:after"),
        email("after"),
        people={"nare": Person(email="nare@example.com")},
        default_owner="nare",
    )


def test_it_keeps_in_touch_until_the_day_and_tells_the_owner() -> None:
    world = World(later())
    assert world.live() == [
        "2026-01-15 09:00 email light",
        "2026-01-25 09:00 email light",
        "2026-01-30 09:00 email day",
        "2026-01-30 09:00 tells nare@example.com #owner",
        "2026-01-30 09:00 email after",
        "2026-01-30 09:00 ended finished",
    ]
    assert world.state.variables["later"] == {"outcome": "day", "reminders": 2}
    assert world.state.loops == {}


def test_it_stops_at_once_when_the_lead_comes_by_itself() -> None:
    world = World(later())
    assert world.live([happened("order.paid", 12 * DAYS, total=1)]) == [
        "2026-01-15 09:00 email light",
        "2026-01-17 09:00 email after",
        "2026-01-17 09:00 ended finished",
    ]
    assert world.state.variables["later"] == {"outcome": "stopped", "event": "order.paid", "reminders": 1}


def test_a_date_is_the_morning_of_that_day_where_the_lead_is() -> None:
    lead = ANI | {"call_me": "2026-01-10", "timezone": "Asia/Yerevan"}
    journey = later(period=None, until="lead.call_me").model_copy(
        update={"attribute_times": {"call_me": "date"}}
    )
    assert World(journey, lead).live()[0] == "2026-01-10 05:00 email day"


def test_without_a_date_it_is_passed_over() -> None:
    world = World(later(period=None, until="lead.call_me"))
    assert world.live()[0] == "2026-01-05 09:00 email after"
    assert world.state.variables["later"]["outcome"] == "no-date"


def test_a_date_that_has_gone_by_is_the_day_at_once() -> None:
    assert World(later(period=None, until="now - days(3)")).live()[0] == "2026-01-05 09:00 email day"


def test_what_is_no_date_parks_the_run() -> None:
    world = World(later(period=None, until="lead.email"))
    world.live()
    assert world.parked == "not-a-date"


def test_without_a_light_message_it_only_waits() -> None:
    assert World(later(message=None)).live()[0] == "2026-01-30 09:00 email day"


def test_it_listens_while_it_waits() -> None:
    assert on("order.paid") in listening(later(), "remind")


def test_the_step_is_one_visit_however_often_it_reminds() -> None:
    world = World(later())
    world.live()
    assert (world.state.visits["remind"], world.state.visits["email:light"]) == (1, 2)


def test_what_comes_while_a_reminder_is_on_its_way_is_seen() -> None:
    world = World(later())
    world.live([])
    again = World(later())
    again.turn(MONDAY)
    again.events.append(happened("order.paid", 5 * DAYS, total=1))  # recorded, but the run was not told
    again.turn(MONDAY + 10 * DAYS)
    assert again.state.variables["later"]["outcome"] == "stopped"


def test_the_control_group_is_not_written_about() -> None:
    world = World(later())
    world.state = replace(world.state, holdout=True)
    assert "2026-01-30 09:00 skipped email #owner: holdout" in world.live()


@given(lateness=st.timedeltas(timedelta(), timedelta(days=40)), day=st.integers(0, 40))
@pytest.mark.parametrize("event", ["order.paid", "lead.unsubscribed"])
def test_a_late_worker_changes_nothing(event: str, lateness: timedelta, day: int) -> None:
    def lived(late: timedelta) -> list[str]:
        return World(later()).live([happened(event, day * DAYS, total=1)], late)

    assert lived(lateness) == lived(timedelta())
