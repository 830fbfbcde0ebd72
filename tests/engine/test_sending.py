"""Messages that must wait: quiet hours, windows, caps, throttles; that come too late; the control group."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.listening import listening
from dripline.language.plan import Arm, BranchStep, DelayStep, Duration, Hours, Limit, StopStep, WaitForStep
from tests.engine.plans import email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)
NIGHT = Hours(start=21 * 60, end=9 * 60)
HOUR, DAY, WEEK = Duration(seconds=3600), Duration(days=1), Duration(days=7)
WORK = (Hours(start=9 * 60, end=18 * 60, days=(0, 1, 2, 3, 4)),)


def evening(*, rest: int = 13, **more: Any) -> Any:
    """A message due so many hours after Monday 09:00."""
    return plan(
        DelayStep(id="rest", duration=Duration(seconds=rest * 3600), next="email:hello"),
        email("hello", **{"quiet_hours": NIGHT, "result": "hello", **more}),
    )


def test_a_message_in_the_night_goes_in_the_morning() -> None:
    world = World(evening())
    assert world.live() == ["2026-01-06 09:00 email hello", "2026-01-06 09:00 ended finished"]
    assert world.held == ["01-05 22:00 email:hello quiet hours, 01-06T09:00"]
    assert world.state.visits["email:hello"] == 1


def test_quiet_hours_are_those_where_the_lead_is() -> None:
    lead = {**ANI, "timezone": "America/Los_Angeles"}
    assert World(evening(), lead).live()[0].endswith("2026-01-05 22:00 email hello")
    early = World(evening(rest=0), lead)  # 01:00 there
    assert early.live()[0] == "2026-01-05 17:00 email hello"
    nowhere = {name: value for name, value in ANI.items() if name != "timezone"}
    assert World(evening(), {**nowhere, "country": "JP"}).live()[0] == "2026-01-06 00:00 email hello"
    assert World(evening(), nowhere).live()[0] == "2026-01-06 09:00 email hello"  # the workspace's zone


def test_a_window_leaves_out_the_weekend() -> None:
    saturday = evening(rest=24 * 5, quiet_hours=None, window=WORK)
    world = World(saturday)
    assert world.live()[0] == "2026-01-12 09:00 email hello"
    assert world.held == ["01-10 09:00 email:hello outside the window, 01-12T09:00"]


def test_a_run_that_is_held_can_be_left_and_listens_for_nothing_else() -> None:
    world = World(evening())
    assert world.live([happened("visit", 15 * HOURS), happened("lead.unsubscribed", 16 * HOURS)]) == [
        "2026-01-06 01:00 ended unsubscribed"
    ]
    assert [one.events for one in listening(evening(), "email:hello")] == [("lead.unsubscribed",)]


def test_what_is_asked_of_a_message_is_asked_anew_when_it_is_let_go() -> None:
    world = World(evening())
    world.turn(MONDAY)
    world.turn(MONDAY + 13 * HOURS)
    assert world.state.wait is not None
    assert (world.state.wait.began, world.state.wait.until) == (MONDAY + 13 * HOURS, MONDAY + DAYS)
    world.lead = {**ANI, "consent": {}}
    world.turn(MONDAY + DAYS)
    assert world.lines[0] == "2026-01-06 09:00 skipped email hello: no consent for email"
    assert world.state.variables["hello"]["reason"] == "no consent for email"


def test_a_lead_that_moved_in_the_night_is_held_again_and_was_due_all_the_same_when_it_was() -> None:
    world = World(evening())
    world.turn(MONDAY + 13 * HOURS)
    world.lead = {**ANI, "timezone": "America/New_York"}
    world.turn(MONDAY + DAYS)
    assert world.state.wait is not None
    assert (world.state.wait.began, world.state.wait.until) == (
        MONDAY + 13 * HOURS,
        MONDAY + DAYS + 5 * HOURS,
    )


def test_a_late_worker_wakes_nobody_in_the_night() -> None:
    world = World(evening(rest=1))
    world.turn(MONDAY)
    world.turn(MONDAY + 14 * HOURS)  # 23:00, thirteen hours too late
    assert world.lines == []
    assert world.held == ["01-05 10:00 email:hello quiet hours, 01-06T09:00"]
    world.turn(MONDAY + DAYS)
    assert world.lines[0] == "2026-01-06 09:00 email hello"


def test_what_would_come_too_late_is_left_out_at_once() -> None:
    assert World(evening(expires=Duration(seconds=4 * 3600))).live() == [
        "2026-01-05 22:00 skipped email hello: expired",
        "2026-01-05 22:00 ended finished",
    ]
    assert World(evening(expires=Duration(seconds=11 * 3600))).live()[0] == "2026-01-06 09:00 email hello"


def test_a_late_worker_does_not_send_what_has_expired() -> None:
    world = World(evening(rest=1, expires=HOUR))
    world.turn(MONDAY)
    world.turn(MONDAY + 2 * HOURS)
    assert world.lines[0] == "2026-01-05 10:00 email hello"
    late = World(evening(rest=1, expires=HOUR))
    late.turn(MONDAY)
    late.turn(MONDAY + 2 * HOURS + timedelta(seconds=1))
    assert late.lines[0] == "2026-01-05 10:00 skipped email hello: expired"


def test_over_the_cap_a_message_may_wait_for_a_place() -> None:
    world = World(evening(rest=0, limit=Limit(count=2, per=DAY), on_limit=Duration(days=2)))
    world.sent = [MONDAY - 20 * HOURS, MONDAY - 3 * HOURS]
    assert world.live()[0] == "2026-01-05 13:00 email hello"
    assert world.held == ["01-05 09:00 email:hello limit of 2 per 1 day, 01-05T13:00"]


def test_a_place_that_is_free_in_the_night_is_taken_in_the_morning() -> None:
    world = World(evening(rest=0, limit=Limit(count=1, per=DAY), on_limit=Duration(days=2)))
    world.sent = [MONDAY - 10 * HOURS]  # free at 23:00
    assert world.live()[0] == "2026-01-06 09:00 email hello"
    assert [line.split(", ")[1] for line in world.held] == ["01-05T23:00", "01-06T09:00"]


def test_nobody_waits_for_a_place_longer_than_is_said() -> None:
    world = World(evening(rest=0, limit=Limit(count=1, per=WEEK), on_limit=Duration(days=2)))
    world.sent = [MONDAY - HOURS]
    assert world.live()[0] == "2026-01-07 09:00 skipped email hello: limit of 1 per 7 days"


@given(ages=st.lists(st.integers(0, 24 * 40), min_size=1, max_size=6), count=st.integers(1, 3))
def test_a_message_that_waited_for_a_place_never_breaks_the_cap(ages: list[int], count: int) -> None:
    limit = Limit(count=count, per=Duration(months=1))
    world = World(evening(rest=0, limit=limit, on_limit=Duration(days=50)))
    world.sent = sorted(MONDAY - age * HOURS for age in ages)
    before = list(world.sent)
    world.live()
    [sent] = set(world.sent) - set(before) or {world.sent[-1]}
    assert world.lines[0].endswith("email hello")
    assert sum(one > sent - timedelta(days=28) for one in before) < count


def test_a_throttle_gives_each_lead_its_moment() -> None:
    queue = evening(rest=0).model_copy(update={"throttle": Limit(count=2, per=HOUR)})
    first = World(queue)
    first.live()
    second, third = World(queue), World(queue)
    second.next_slot = first.next_slot
    second.live()
    third.next_slot = second.next_slot
    third.live()
    assert [world.lines[0][11:16] for world in (first, second, third)] == ["09:00", "09:30", "10:00"]
    assert third.held == ["01-05 09:00 email:hello throttle of 2 per 1 hour, 01-05T10:00"]


def test_a_moment_in_the_throttle_that_is_in_the_night_is_asked_for_anew() -> None:
    world = World(evening(rest=0).model_copy(update={"throttle": Limit(count=1, per=HOUR)}))
    world.next_slot = MONDAY + 14 * HOURS
    assert world.live()[0] == "2026-01-06 09:00 email hello"


def test_a_transactional_message_is_held_by_its_own_hours_only() -> None:
    receipt = evening(transactional=True, topic=None, quiet_hours=None)
    world = World(receipt.model_copy(update={"throttle": Limit(count=1, per=DAY)}))
    world.next_slot = MONDAY + 30 * DAYS
    assert world.live()[0] == "2026-01-05 22:00 email hello"
    own = World(evening(transactional=True, topic=None))
    assert own.live()[0] == "2026-01-06 09:00 email hello"


def test_the_control_group_goes_the_same_ways_at_the_same_times_and_gets_nothing() -> None:
    journey = plan(
        email("hello", quiet_hours=NIGHT, result="hello", next="wait"),
        WaitForStep(id="wait", on=on("visit"), timeout=DAY, then="seen", otherwise="branch"),
        StopStep(id="seen", reason="seen"),
        BranchStep(id="branch", arms=(Arm(when="hello.skipped", to="seen"),), next=None),
        holdout=100,
    )
    world = World(journey)
    assert world.live([happened("visit", 2 * HOURS)]) == [
        "2026-01-05 09:00 skipped email hello: holdout",
        "2026-01-05 11:00 ended seen",
    ]
    assert world.state.holdout
    assert world.state.last_message_at == MONDAY
    assert world.sent == []


def test_a_lead_is_in_the_same_group_whenever_it_enters_and_the_groups_have_their_size() -> None:
    tenth = plan(email("hello"), holdout=10)

    def held_out(lead: str) -> bool:
        world = World(tenth, {**ANI, "id": lead})
        world.live()
        return world.state.holdout

    drawn = [held_out(f"lead-{number}") for number in range(1000)]
    assert 70 < sum(drawn) < 130
    assert drawn[:50] == [held_out(f"lead-{number}") for number in range(50)]


@given(
    rest=st.integers(0, 24 * 8),
    lateness=st.builds(
        lambda days, minutes: timedelta(days=days, minutes=minutes), st.integers(0, 20), st.integers(0, 719)
    ),
    leaves=st.none() | st.integers(0, 24 * 10),
)
def test_a_late_worker_changes_nothing_where_it_could_send_at_once(
    rest: int, lateness: timedelta, leaves: int | None
) -> None:
    events = [] if leaves is None else [happened("lead.unsubscribed", leaves * HOURS)]
    on_time, late = World(evening(rest=rest)), World(evening(rest=rest))
    expected, told = on_time.live(events), late.live(events, lateness)
    sending = MONDAY + rest * HOURS + lateness
    if 9 <= sending.hour < 21:
        assert told == expected
    assert len(told) == len(expected) or leaves is not None


@pytest.mark.parametrize("kept", ["hours", "limit", "throttle"])
def test_a_held_run_says_what_holds_it(kept: str) -> None:
    world = World(
        evening(rest=13 if kept == "hours" else 0, limit=Limit(count=1, per=DAY), on_limit=DAY).model_copy(
            update={"throttle": Limit(count=1, per=HOUR)}
        ),
        already_sent=1 if kept == "limit" else 0,
    )
    world.next_slot = MONDAY + 3 * HOURS
    world.turn(MONDAY + (13 * HOURS if kept == "hours" else 0 * HOURS))
    assert world.state.wait is not None
    assert world.state.wait.held == kept
