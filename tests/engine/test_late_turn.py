"""What a late worker changes though it must not."""

from __future__ import annotations

from datetime import timedelta

from dripline.engine.effects import Outcome
from dripline.language.plan import Arm, BranchStep, DelayStep, Duration, Hours, Limit
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


def test_where_days_are_short_a_moment_late_is_no_night_and_breaks_no_promise_of_an_hour() -> None:
    """A worker that is half a second late is so by 40 hours, where a day takes 0.3 seconds."""
    night = Hours(start=21 * 60, end=9 * 60)
    promises = plan(
        DelayStep(id="rest", duration=Duration(seconds=3 * 3600), next="email:soon"),
        email("soon", quiet_hours=night, expires=Duration(seconds=3600), next="night"),
        DelayStep(id="night", duration=Duration(seconds=10 * 3600), next="email:late"),
        email("late", quiet_hours=night),
    )
    short = World(promises, pace=86400 / 0.3)
    assert short.live(lateness=timedelta(seconds=0.5 * short.pace)) == World(promises).live()
    assert World(promises, pace=86400 / 0.3).live(lateness=2 * 3600 * short.pace * timedelta(seconds=1)) == [
        "2026-01-05 12:00 skipped email soon: expired",
        "2026-01-06 09:00 email late",
        "2026-01-06 09:00 ended finished",
    ]


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
