"""Waits for a moment, told as transcripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dripline.engine.effects import Outcome
from dripline.language.plan import DelayUntilStep, Duration, Moment, Otherwise, Plan, StopStep, WaitForStep
from tests.engine.plans import email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

DAYS = timedelta(days=1)


def until(moment: Moment, **more: Any) -> Plan:
    return plan(
        DelayUntilStep(id="rest", moment=moment, next="email:hello", **more),
        email("hello", next="bye"),
        StopStep(id="bye", reason="bye"),
        attribute_times={"birthday": "date", "trial_ends_at": "datetime"},
    )


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (Moment(at=540), "2026-01-06 09:00"),
        (Moment(at=541), "2026-01-05 09:01"),
        (Moment(weekdays=(0,), at=540), "2026-01-12 09:00"),
        (Moment(weekdays=(4,), at=600), "2026-01-09 10:00"),
        (Moment(day="2026-02-01"), "2026-02-01 09:00"),
        (Moment(date="lead.trial_ends_at", offset=Duration(days=-3)), "2026-01-17 12:00"),
        (Moment(date="lead.birthday", at=600), "2026-01-20 10:00"),
        (Moment(date="today + days(2)", at=600), "2026-01-07 10:00"),
        (Moment(date="now"), "2026-01-05 09:00"),
        (Moment(holiday=True, at=600), "2026-01-06 10:00"),
    ],
)
def test_a_run_waits_until_the_moment(moment: Moment, sent: str) -> None:
    lead = {**ANI, "country": "AM", "birthday": "2026-01-20", "trial_ends_at": "2026-01-20T12:00:00+00:00"}
    assert World(until(moment), lead).live()[0] == f"{sent} email hello"
    assert World(until(moment), lead).live(lateness=40 * DAYS)[0] == f"{sent} email hello"


def test_the_wait_can_be_left() -> None:
    assert World(until(Moment(day="2026-02-01"))).live([happened("lead.unsubscribed", DAYS)]) == [
        "2026-01-06 09:00 ended unsubscribed"
    ]


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (Otherwise(), ["2026-01-05 09:00 email hello", "2026-01-05 09:00 ended bye"]),
        (Otherwise(do="skip", to="bye"), ["2026-01-05 09:00 ended bye"]),
    ],
)
def test_what_is_missing_or_past_is_not_waited_for(rule: Otherwise, lines: list[str]) -> None:
    missing = until(Moment(date="lead.birthday"), if_missing=rule, if_past=Otherwise(do="exit"))
    assert World(missing).live() == lines
    past = until(Moment(date="lead.birthday"), if_past=rule, if_missing=Otherwise(do="exit"))
    assert World(past, {**ANI, "birthday": "1990-02-28"}).live() == lines


def test_a_run_may_end_where_there_is_no_date() -> None:
    world = World(until(Moment(date="lead.birthday"), if_missing=Otherwise(do="exit")))
    world.live()
    assert world.outcome == Outcome("stopped", "no date")


def test_without_a_country_nobody_waits_for_a_holiday() -> None:
    assert World(until(Moment(holiday=True))).live()[0] == "2026-01-05 09:00 email hello"
    of_the_workspace = until(Moment(holiday=True)).model_copy(update={"region": "AM"})
    assert World(of_the_workspace).live()[0] == "2026-01-06 09:00 email hello"


def test_a_date_that_is_none_parks_the_run() -> None:
    world = World(until(Moment(date="lead.plan")), {**ANI, "plan": "team"})
    world.live()
    assert world.parked == "not-a-date"


def waiting(moment: Moment) -> Plan:
    return plan(
        WaitForStep(id="wait", on=on("visit"), until=moment, then="seen", otherwise="email:hello"),
        email("hello"),
        StopStep(id="seen", reason="seen"),
        attribute_times={"birthday": "date"},
    )


def test_a_wait_for_an_event_lasts_until_its_moment() -> None:
    friday = waiting(Moment(weekdays=(4,), at=1080))
    assert World(friday).live()[0] == "2026-01-09 18:00 email hello"
    assert World(friday).live([happened("visit", 3 * DAYS)]) == ["2026-01-08 09:00 ended seen"]


@pytest.mark.parametrize("lead", [{}, {"birthday": "1990-05-05"}])
def test_a_wait_whose_moment_is_past_or_unknown_is_over_at_once(lead: dict[str, str]) -> None:
    world = World(waiting(Moment(date="lead.birthday")), {**ANI, **lead})
    assert world.live([happened("visit", DAYS)])[0] == "2026-01-05 09:00 email hello"
    assert world.state.last_at == MONDAY
