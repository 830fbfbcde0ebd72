"""A run that a person puts elsewhere, or lets pass over its step, goes on from there and is never stranded."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dripline.language.plan import Plan
from dripline.publishing.steering import pass_over, put
from tests.engine.world import MONDAY, happened
from tests.publishing.edits import edited_journeys
from tests.publishing.journeys import delay, email, journey, wait
from tests.publishing.test_landing import Watched


def test_a_wait_passed_over_goes_the_way_of_its_timeout() -> None:
    plan = journey(email("a"), wait(then=[email("b")], **{"else": [email("c")]}))  # type: ignore[arg-type]
    run = Watched(plan)
    run.until(MONDAY + timedelta(days=1))
    landing = pass_over(plan, run.state, MONDAY + timedelta(days=1))
    assert landing is not None
    run.state = landing.state
    assert run.live()[1:] == ["2026-01-06 09:00 email c", "2026-01-06 09:00 ended finished"]


def test_the_rest_of_a_loop_passed_over_begins_the_next_pass() -> None:
    plan = journey(
        {"repeat": {"every": "1 week", "times": 2, "steps": [email("a")]}}, delay("1 day"), email("b")
    )
    run = Watched(plan)
    run.until(MONDAY + timedelta(days=1))
    landing = pass_over(plan, run.state, MONDAY + timedelta(days=1))
    assert landing is not None
    run.state = landing.state
    assert run.live()[1:] == [
        "2026-01-06 09:00 email a",
        "2026-01-07 09:00 email b",
        "2026-01-07 09:00 ended finished",
    ]


@given(
    edited_journeys(), st.integers(0, 24 * 20), st.integers(0, 30), st.lists(st.integers(0, 240), max_size=2)
)
def test_wherever_it_is_put_a_run_goes_on_to_the_end(
    plans: tuple[Plan, Plan], hours: int, number: int, events: list[int]
) -> None:
    plan, now = plans[0], MONDAY + timedelta(hours=hours)
    run = Watched(plan)
    coming = [happened("demo.booked", timedelta(hours=hour), hour) for hour in events]
    run.until(now, coming)
    if run.outcome is not None:
        return
    step = plan.steps[number % len(plan.steps)].id
    landing = put(plan, run.state, step, now) if number % 2 else pass_over(plan, run.state, now)
    assert landing is not None
    run.state = landing.state
    run.live([event for event in coming if event.received_at > now])
    assert run.outcome is not None
    assert run.parked is None
    assert len(set(run.keys)) == len(run.keys), "a key was used twice: the second message would be lost"
