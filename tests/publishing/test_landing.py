"""Where a run comes to stand when its journey is edited under it, and that nobody is lost or written to twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dripline.engine.calendar import add, zone
from dripline.engine.effects import Effect, Event, QueueMessage
from dripline.language.durations import parse_duration
from dripline.language.plan import DelayStep, Plan, RepeatStep
from dripline.publishing.forecast import fate_of
from dripline.publishing.landing import Change, Hazard, Landing, Stuck, land
from tests.engine.world import MONDAY, World, happened
from tests.publishing.edits import edited_journeys
from tests.publishing.journeys import delay, email, journey, wait

DAYS = timedelta(days=1)


class Watched(World):
    """A run whose messages are remembered by step and visit."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.keys: list[tuple[str, int]] = []

    def _answer(self, effect: Effect) -> Any:
        if isinstance(effect, QueueMessage):
            self.keys.append((effect.step, effect.visit))
        return super()._answer(effect)

    def until(self, end: datetime, events: Iterable[Event] = ()) -> None:
        """Live as long as that."""
        coming = sorted(events, key=lambda event: event.received_at)
        now = MONDAY
        self._take(now, coming)
        while self.outcome is None:
            until = self.state.wait.until if self.state.wait else None
            moments = [event.received_at for event in coming[:1]] + ([until] if until else [])
            if not moments or min(moments) > end:
                break
            now = max(now, min(moments))
            self._take(now, coming)

    def move(self, new: Plan, now: datetime, **said: str) -> Landing | Stuck:
        """Come to stand in another plan."""
        found = land(Change(self.plan, new, said), self.state, self.lead, now)
        if isinstance(found, Landing):
            self.plan, self.state, self.outcome = new, found.state, found.outcome
        return found


def moved(old: Plan, new: Plan, after: timedelta, *events: Event, **said: str) -> tuple[Watched, Landing]:
    run = Watched(old)
    run.until(MONDAY + after, events)
    found = run.move(new, MONDAY + after, **said)
    assert isinstance(found, Landing), found
    return run, found


OLD = journey(email("a"), delay("5 days"), email("b"), wait(), email("c"))


def test_a_shorter_delay_ends_sooner_reckoned_from_when_it_began() -> None:
    new = journey(email("a"), delay("3 days"), email("b"), wait(), email("c"))
    run, found = moved(OLD, new, 1 * DAYS)
    assert found.state.wait is not None
    assert found.state.wait.until == MONDAY + 3 * DAYS
    assert run.live()[1] == "2026-01-08 09:00 email b"


def test_a_delay_that_would_be_over_by_now_ends_now() -> None:
    new = journey(email("a"), delay("3 days"), email("b"), wait(), email("c"))
    run, found = moved(OLD, new, 4 * DAYS)
    assert found.state.wait is not None
    assert found.state.wait.until == MONDAY + 4 * DAYS
    run.turn(MONDAY + 4 * DAYS)
    assert run.lines[1] == "2026-01-09 09:00 email b"


def test_a_longer_timeout_is_reckoned_from_when_the_wait_began() -> None:
    new = journey(email("a"), delay("5 days"), email("b"), wait(timeout="1 week"), email("c"))
    _, found = moved(OLD, new, 6 * DAYS)
    assert found.state.wait is not None
    assert found.state.wait.until == MONDAY + 12 * DAYS


def test_a_run_at_a_step_that_was_taken_out_needs_a_word() -> None:
    new = journey(email("a"), email("b"), wait(), email("c"))
    run = Watched(OLD)
    run.until(MONDAY + 1 * DAYS)
    assert run.move(new, MONDAY + 1 * DAYS) == Stuck("removed", "after email:a")
    found = run.move(new, MONDAY + 1 * DAYS, **{"after email:a": "email:b"})
    assert isinstance(found, Landing)
    assert found.hazards == frozenset()
    assert run.live()[1] == "2026-01-06 09:00 email b"


def test_to_go_on_before_a_message_that_was_sent_would_send_it_again() -> None:
    run = Watched(OLD)
    run.until(MONDAY + 6 * DAYS)
    found = run.move(OLD, MONDAY + 6 * DAYS, **{"after email:b": "after email:a"})
    assert isinstance(found, Landing)
    assert found.hazards == {Hazard("again", "email:b")}


def test_a_message_that_was_sent_and_stands_further_on_now_would_be_sent_again() -> None:
    old = journey(email("a"), delay("5 days", id="pause"), email("b"))
    new = journey(email("b"), delay("5 days", id="pause"), email("a"))
    _, found = moved(old, new, 1 * DAYS)
    assert found.hazards == {Hazard("again", "email:a"), Hazard("never", "email:b")}


def test_a_new_message_with_the_template_of_one_that_was_renamed_and_sent_is_the_same() -> None:
    old = journey(email("a"), email("a"), delay("5 days"), email("b"))
    new = journey(delay("5 days"), email("b"), email("a", id="one"), email("a", id="two"))
    _, found = moved(old, new, 1 * DAYS)
    assert {hazard.what for hazard in found.hazards if hazard.kind == "again"} == {"one", "two"}


def test_a_message_that_takes_the_id_of_one_that_was_sent_gets_a_key_of_its_own() -> None:
    old = journey(email("a"), delay("5 days"), email("a", transactional=True))
    new = journey(email("b"), delay("5 days"), email("a", transactional=True))
    run, found = moved(old, new, 1 * DAYS)
    assert Change(old, new, {}).matching.pairs["email:a/2"] == "email:a"
    assert found.hazards == frozenset(), "it is the second one, which was not sent yet"
    run.live()
    assert run.keys == [("email:a", 1), ("email:a", 2)]


def test_a_loop_sends_again_as_it_would_have_without_the_move() -> None:
    def weekly(every: str) -> Plan:
        return journey({"repeat": {"every": every, "times": 3, "steps": [email("a")]}}, email("b"))

    run, found = moved(weekly("1 week"), weekly("1 day"), 8 * DAYS)
    assert found.hazards == frozenset()
    assert run.live()[1:] == [
        "2026-01-12 09:00 email a",
        "2026-01-13 09:00 email a",
        "2026-01-13 09:00 email b",
        "2026-01-13 09:00 ended finished",
    ]


def test_steps_put_into_a_loop_around_what_was_sent_would_send_it_again() -> None:
    new = journey(
        {"repeat": {"every": "1 day", "times": 2, "steps": [email("a"), delay("5 days")]}}, email("b")
    )
    old = journey(email("a"), delay("5 days"), email("b"))
    run = Watched(old)
    run.until(MONDAY + 1 * DAYS)
    [inside] = [step.id for step in new.steps if step.verb == "delay"]
    found = run.move(new, MONDAY + 1 * DAYS, **{"after email:a": inside})
    assert isinstance(found, Landing)
    assert Hazard("again", "email:a") in found.hazards


def test_a_name_that_is_set_behind_the_run_is_lacking() -> None:
    old = journey(email("a"), delay("5 days"), email("b"))
    new = journey(email("a"), {"discount": {"percent": 5}, "as": "offer"}, delay("5 days"), email("f"))
    _, found = moved(old, new, 1 * DAYS)
    assert found.hazards == {Hazard("lacks", "offer")}
    before = journey(email("a"), delay("5 days"), {"discount": {"percent": 5}, "as": "offer"}, email("f"))
    _, found = moved(old, before, 1 * DAYS)
    assert found.hazards == frozenset()


def test_an_event_that_came_before_the_wait_listened_for_it_counts_since_the_last_message() -> None:
    new = journey(email("a"), delay("5 days"), email("b"), wait("order.paid"), email("c"))
    _, found = moved(OLD, new, 6 * DAYS, happened("order.paid", timedelta(days=5, hours=3)))
    assert found.rest.look_back is not None
    assert found.rest.look_back.names == ("order.paid",)
    assert found.rest.look_back.after == MONDAY + 5 * DAYS


def test_a_run_remembers_when_it_came_to_a_step_whatever_that_is_called_now() -> None:
    def since(named: str) -> Plan:
        waiting = wait(since=named, then=[email("c")], **{"else": [email("d")]})  # type: ignore[arg-type]
        return journey(delay("2 days", id="break"), email("b", id=named), delay("5 days"), waiting)

    earlier = happened("demo.booked", timedelta(days=1), 1)
    run, landing = moved(since("offered"), since("proposed"), 3 * DAYS, earlier)
    assert landing.state.variables == {"@proposed": (MONDAY + 2 * DAYS).isoformat()}
    assert run.live() == [
        "2026-01-07 09:00 email b",
        "2026-01-15 09:00 email d",
        "2026-01-15 09:00 ended finished",
    ]


def test_a_run_that_has_not_begun_begins_by_the_new_plan() -> None:
    new = journey(email("c"))
    run = Watched(OLD)
    assert isinstance(run.move(new, MONDAY), Landing)
    assert run.live() == ["2026-01-05 09:00 email c", "2026-01-05 09:00 ended finished"]


def test_a_message_held_by_quiet_hours_asks_again_when_they_were_changed() -> None:
    old = journey(email("a", quiet_hours="08:00-20:00"))
    _, found = moved(old, journey(email("a", quiet_hours="08:00-20:00"), email("b")), timedelta(hours=1))
    assert found.state.wait is not None
    assert found.state.wait.until == datetime.fromisoformat("2026-01-05T20:00+00:00")
    run, found = moved(old, journey(email("a", quiet_hours="none")), timedelta(hours=1))
    assert run.live() == ["2026-01-05 10:00 email a", "2026-01-05 10:00 ended finished"]


@given(edited_journeys(), st.integers(0, 24 * 20), st.lists(st.integers(0, 24 * 20), max_size=3))
@settings(max_examples=300)
def test_nobody_is_lost_and_no_message_is_sent_twice(
    plans: tuple[Plan, Plan], hours: int, events: list[int]
) -> None:
    old, new = plans
    coming = [happened("demo.booked", timedelta(hours=hour), hour) for hour in events]
    run = Watched(old)
    run.until(MONDAY + timedelta(hours=hours), coming)
    if run.outcome is not None:
        return
    change = Change(old, new, {})
    sent_before, here = list(run.keys), run.state.step or ""
    ahead = change.before.ahead(here) if run.state.step else frozenset()
    found = run.move(new, MONDAY + timedelta(hours=hours))
    event(
        "stuck" if isinstance(found, Stuck) else ", ".join(sorted({h.kind for h in found.hazards})) or "moved"
    )
    if isinstance(found, Stuck):
        assert here not in change.matching.pairs
        return
    run.live([event for event in coming if event.received_at > MONDAY + timedelta(hours=hours)])
    assert run.outcome is not None, "the run is stranded"
    assert run.parked is None or Hazard("lacks", "offer") in found.hazards
    assert len(set(run.keys)) == len(run.keys), "a key was used twice: the second message would be lost"
    if any(hazard.kind == "again" for hazard in found.hazards):
        return
    looped = {step for loop in new.steps if isinstance(loop, RepeatStep) for step in loop.within}
    once = {change.matching.pairs.get(step) for step, _ in sent_before if step not in ahead}
    sent_after = {step for step, _ in run.keys[len(sent_before) :]}
    assert not (sent_after & once) - looped


@given(edited_journeys(), st.integers(0, 24 * 20))
def test_an_edit_of_nothing_changes_nothing(plans: tuple[Plan, Plan], hours: int) -> None:
    run = Watched(plans[0])
    run.until(MONDAY + timedelta(hours=hours))
    before = run.state
    if run.outcome is not None:
        return
    found = run.move(plans[0], MONDAY + timedelta(hours=hours))
    assert isinstance(found, Landing)
    assert found.hazards == frozenset()
    assert fate_of(before, found).kind == "stays"
    assert (found.state.wait, found.state.visits, found.state.loops) == (
        before.wait,
        before.visits,
        before.loops,
    )


@given(
    st.sampled_from(["1 hour", "1 day", "2 days", "9 days"]),
    st.integers(0, 24 * 5 - 1),
)
def test_a_delay_ends_when_its_length_says_or_now(length: str, hours: int) -> None:
    now = MONDAY + timedelta(hours=hours)
    _, found = moved(OLD, journey(email("a"), delay(length), email("b"), wait(), email("c")), now - MONDAY)
    assert isinstance(OLD.by_id["after email:a"], DelayStep)
    assert found.state.wait is not None
    assert found.state.wait.until == max(add(MONDAY, parse_duration(length), zone("UTC")), now)
