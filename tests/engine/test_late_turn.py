"""What a late worker changes though it must not."""

from __future__ import annotations

from datetime import timedelta

from dripline.engine.effects import Outcome
from dripline.language.plan import Arm, BranchStep, DelayStep, Duration, Limit
from tests.engine.plans import email, plan
from tests.engine.world import World

DAYS = timedelta(days=1)


def test_a_late_worker_does_not_lift_the_cap() -> None:
    one_a_week = Limit(count=1, per=Duration(days=7))
    twice = plan(
        email("one", limit=one_a_week, next="rest"),
        DelayStep(id="rest", duration=Duration(days=3), next="email:two"),
        email("two", limit=one_a_week),
    )
    assert World(twice).live(lateness=20 * DAYS) == World(twice).live()


def test_a_loop_with_a_wait_in_it_is_not_too_long_for_a_late_worker() -> None:
    hourly = plan(
        DelayStep(id="rest", duration=Duration(seconds=3600), next="again"),
        BranchStep(id="again", arms=(Arm(when=None, to="rest"),)),
    )
    late = World(hourly)
    late.turn(late.state.started_at)
    late.turn(late.state.started_at + 30 * DAYS)
    assert late.outcome is None, late.outcome
    assert late.outcome != Outcome("too-long")
