"""What a run does next, told as transcripts in virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.effects import Outcome
from dripline.engine.listening import listening
from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayStep,
    Duration,
    Exit,
    Reached,
    StopStep,
    WaitForStep,
)
from tests.engine.plans import WELCOME, email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

DAYS = timedelta(days=1)


def test_a_silent_lead_gets_hello_and_the_offer() -> None:
    assert World(WELCOME).live() == [
        "2026-01-05 09:00 email hello",
        "2026-01-10 09:00 email offer",
        "2026-01-10 09:00 ended finished",
    ]


def test_a_demo_booked_while_waiting_changes_the_way() -> None:
    assert World(WELCOME).live([happened("demo.booked", 3 * DAYS, seats=8)]) == [
        "2026-01-05 09:00 email hello",
        "2026-01-08 09:00 sms see-you-there",
        "2026-01-08 09:00 ended booked",
    ]


def test_an_event_that_the_filter_refuses_changes_nothing() -> None:
    assert World(WELCOME).live([happened("demo.booked", 3 * DAYS, seats=2)])[-1].endswith("finished")


def test_an_event_since_the_last_message_already_counts() -> None:
    assert World(WELCOME).live([happened("demo.booked", 1 * DAYS, seats=8)]) == [
        "2026-01-05 09:00 email hello",
        "2026-01-07 09:00 sms see-you-there",
        "2026-01-07 09:00 ended booked",
    ]


def test_an_event_that_ended_one_wait_does_not_end_the_next() -> None:
    twice = plan(
        WaitForStep(id="one", on=on("visit"), then="two", otherwise=None),
        WaitForStep(id="two", on=on("visit"), then="done", otherwise=None),
        StopStep(id="done", reason="two visits"),
    )
    once = World(twice)
    once.live([happened("visit", 1 * DAYS)])
    assert once.outcome is None
    both = World(twice)
    both.live([happened("visit", 1 * DAYS), happened("visit", 2 * DAYS)])
    assert both.outcome == Outcome("stopped", "two visits")


@pytest.mark.parametrize("since", ["now", "start", "message", Duration(days=1)])
def test_since_says_how_far_a_wait_looks_back(since: str | Duration) -> None:
    looking = plan(
        email("hello", next="rest"),
        WaitForStep(id="rest", on=on("never"), timeout=Duration(days=3), then="wait", otherwise="wait"),
        WaitForStep(
            id="wait", on=on("visit"), since=since, timeout=Duration(days=1), then="seen", otherwise=None
        ),
        StopStep(id="seen", reason="seen"),
    )
    world = World(looking)
    world.live([happened("visit", timedelta(hours=1))])
    assert world.outcome == (
        Outcome("stopped", "seen") if since in ("start", "message") else Outcome("finished")
    )


@pytest.mark.parametrize(
    ("since", "counts"), [("quiet", True), ("email:hello", False), ("never-reached", True)]
)
def test_a_wait_can_count_from_when_the_run_last_came_to_a_step(since: str, counts: bool) -> None:
    looking = plan(
        DelayStep(id="quiet", duration=Duration(days=1), next="email:hello"),
        email("hello", next="wait"),
        WaitForStep(
            id="wait",
            on=on("visit"),
            since=Reached(step=since),
            timeout=Duration(days=1),
            then="seen",
            otherwise=None,
        ),
        StopStep(id="seen", reason="seen"),
        StopStep(id="never-reached", reason="nobody comes here"),  # so: since the run's start
    )
    world = World(looking)
    world.live([happened("visit", timedelta(hours=1))])
    assert world.outcome == (Outcome("stopped", "seen") if counts else Outcome("finished"))


def test_an_exit_ends_the_run_at_once_wherever_it_is() -> None:
    assert World(WELCOME).live([happened("lead.unsubscribed", timedelta(hours=5))]) == [
        "2026-01-05 09:00 email hello",
        "2026-01-05 14:00 ended unsubscribed",
    ]


def test_an_exit_at_the_instant_of_entry_comes_before_the_first_message() -> None:
    assert World(WELCOME).live([happened("lead.unsubscribed")]) == ["2026-01-05 09:00 ended unsubscribed"]


def test_a_goal_ends_the_run_and_counts_its_value() -> None:
    world = World(WELCOME)
    world.live([happened("order.paid", 1 * DAYS, total=99.5)])
    assert world.outcome == Outcome("goal", "order.paid")
    assert world.goal == (MONDAY + 1 * DAYS, 99.5)


def test_at_one_instant_exit_comes_before_goal_before_wait_before_timeout() -> None:
    end_of_wait = 5 * DAYS
    events = [
        happened("demo.booked", end_of_wait, seats=9),
        happened("order.paid", end_of_wait, total=1),
        happened("lead.unsubscribed", end_of_wait),
    ]
    ends = []
    for left_out in range(4):
        world = World(WELCOME)
        world.live(events[: 3 - left_out])
        ends.append(world.outcome)
    assert ends == [
        Outcome("exit", "unsubscribed"),
        Outcome("goal", "order.paid"),
        Outcome("stopped", "booked"),
        Outcome("finished"),
    ]


@given(
    lateness=st.timedeltas(timedelta(), timedelta(days=40)),
    hours=st.lists(st.integers(0, 24 * 8), max_size=4),
    names=st.lists(
        st.sampled_from(["demo.booked", "order.paid", "lead.unsubscribed"]), min_size=4, max_size=4
    ),
)
def test_a_late_worker_changes_nothing_in_the_outcome(
    lateness: timedelta, hours: list[int], names: list[str]
) -> None:
    events = [
        happened(name, timedelta(hours=hour), number, seats=7, total=5)
        for number, (hour, name) in enumerate(zip(hours, names, strict=False))
    ]
    on_time, late = World(WELCOME), World(WELCOME)
    assert late.live(events, lateness) == on_time.live(events)
    assert late.goal == on_time.goal


@given(split=st.lists(st.integers(0, 24 * 7), max_size=6))
def test_turns_for_nothing_change_nothing(split: list[int]) -> None:
    world = World(WELCOME)
    world.turn(MONDAY)
    for hour in [*sorted(split), 24 * 8]:
        if world.outcome is None:
            world.turn(MONDAY + timedelta(hours=hour))
    assert world.lines == World(WELCOME).live()


def test_time_never_goes_back_for_a_run() -> None:
    world = World(WELCOME)
    world.turn(MONDAY)
    world.turn(MONDAY - 3 * DAYS)
    assert world.state.last_at == MONDAY


@pytest.mark.parametrize(
    ("lead", "suppressed", "reason"),
    [
        ({"email": None}, None, "no e-mail address"),
        ({"consent": {"sms": True}}, None, "no consent for email"),
        ({"topics": {"newsletter": False}}, None, "left the topic newsletter"),
        ({}, "complained", "suppressed: complained"),
    ],
)
def test_a_message_that_may_not_go_is_skipped_with_its_reason(
    lead: dict[str, object], suppressed: str | None, reason: str
) -> None:
    world = World(plan(email("hello")), {**ANI, **lead}, suppressed)
    assert world.live() == [
        f"2026-01-05 09:00 skipped email hello: {reason}",
        "2026-01-05 09:00 ended finished",
    ]


def test_a_transactional_message_needs_no_consent_but_an_address_that_works() -> None:
    receipt = plan(email("receipt", transactional=True, topic=None))
    unwilling = {**ANI, "consent": {}}
    assert World(receipt, unwilling).live()[0].endswith("email receipt")
    assert World(receipt, unwilling, "unsubscribed").live()[0].endswith("email receipt")
    assert World(receipt, unwilling, "bounced").live()[0].endswith("suppressed: bounced")


def test_over_the_cap_a_message_is_skipped() -> None:
    assert World(WELCOME, already_sent=3).live()[0].endswith("skipped email hello: limit of 3 per 7 days")


def test_a_result_says_whether_a_message_was_sent() -> None:
    branching = plan(
        email("hello", next="branch", result="hello"),
        BranchStep(
            id="branch",
            arms=(Arm(when="hello.sent", to="sent"), Arm(when=None, to="skipped")),
        ),
        StopStep(id="sent", reason="sent"),
        StopStep(id="skipped", reason="skipped"),
    )
    assert World(branching).live()[-1].endswith("ended sent")
    assert World(branching, {**ANI, "email": None}).live()[-1].endswith("ended skipped")


def test_a_step_whose_if_does_not_hold_is_skipped() -> None:
    choosy = plan(
        email("vip", condition="lead.vip", next="email:all"),
        email("all"),
    )
    assert World(choosy).live() == ["2026-01-05 09:00 email all", "2026-01-05 09:00 ended finished"]
    assert World(choosy, {**ANI, "vip": True}).live()[0].endswith("email vip")


def test_a_loop_that_never_waits_ends_as_too_long() -> None:
    world = World(
        plan(
            BranchStep(id="a", arms=(Arm(when=None, to="b"),)),
            BranchStep(id="b", arms=(Arm(when=None, to="a"),)),
        )
    )
    world.live()
    assert world.outcome is not None
    assert world.outcome.kind == "too-long"


def test_a_condition_that_fails_parks_the_run_and_a_later_turn_goes_on() -> None:
    dividing = plan(
        email("hello", next="branch"),
        BranchStep(id="branch", arms=(Arm(when="1 / lead.score > 0", to=None),), next="never"),
        StopStep(id="never", reason="not reached"),
    )
    world = World(dividing, {**ANI, "score": 0})
    world.live()
    assert world.parked
    assert world.lines == ["2026-01-05 09:00 email hello"]
    world.lead = {**ANI, "score": 2}
    world.turn(MONDAY + 1 * DAYS)
    assert world.outcome == Outcome("finished")
    assert world.lines[1:] == ["2026-01-05 09:00 ended finished"]


def test_a_wait_listens_for_its_events_besides_exits_and_the_goal() -> None:
    def heard(step: str | None) -> set[str]:
        return {name for one in listening(WELCOME, step) for name in one.events}

    assert heard("after email:hello") == {"lead.unsubscribed", "order.paid"}
    assert heard("demo") == {"lead.unsubscribed", "order.paid", "demo.booked"}
    assert heard(None) == {"lead.unsubscribed", "order.paid"}


def test_an_exit_may_ask_about_the_lead() -> None:
    leaving = plan(
        WaitForStep(id="wait", on=on("visit")),
        exits=(
            Exit(
                on=on("lead.updated", when="lead.stage == 'customer'", event_only=False),
                reason="became a customer",
            ),
        ),
    )
    world = World(leaving)
    world.live([happened("lead.updated", 1 * DAYS)])
    assert world.outcome is None
    world.lead = {**ANI, "stage": "customer"}
    world.live([happened("lead.updated", 2 * DAYS)])
    assert world.outcome == Outcome("exit", "became a customer")
