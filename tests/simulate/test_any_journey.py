"""What holds for every journey and whatever happens in it, in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.engine.calendar import zone
from dripline.engine.effects import Effect, TurnEnd
from dripline.engine.turn import take_turn
from dripline.language.plan import Hours, MessageStep, Plan
from dripline.simulate.life import Life
from dripline.simulate.state import Run
from dripline.simulate.timeline import Letter
from dripline.simulate.world import World
from tests.simulate.made_up import Happening, happenings, journeys

START = datetime(2026, 3, 27, 9, 30, tzinfo=UTC)
ZONE = "Europe/Berlin"  # whose clocks change two days later
LEAD: Mapping[str, Any] = {
    "id": "lead-1",
    "external_id": None,
    "email": "ani@example.com",
    "phone": "+37491123456",
    "locale": "en",
    "timezone": ZONE,
    "country": None,
    "stage": None,
    "score": 0.0,
    "tags": [],
    "owner": None,
    "consent": {"email": True, "sms": True},
    "topics": {},
    "trial_ends_at": "2026-04-05T12:00:00+00:00",
}


def live(plans: Sequence[Plan], coming: Sequence[Happening], life: type[Life] = Life) -> Life:
    """A lead's year with these journeys."""
    lived = life(plans, LEAD, START)
    lived.happens("lead.created", {}, START)
    for hours, name, number in coming:
        at = START + timedelta(hours=hours)
        if name == "consent withdrawn":
            lived.changes({"consent": {"email": False, "sms": True}}, at)
        elif name == "vip":
            lived.changes({"vip": True}, at)
        else:
            lived.happens(name, {"seats": number, "total": number * 10}, at)
    lived.live(START + timedelta(days=400))
    return lived


LIVES = st.lists(journeys(), min_size=1, max_size=1).flatmap(
    lambda one: st.tuples(st.just(one[0]), journeys("other"), happenings())
)


@settings(max_examples=40, deadline=None, database=None)
@given(life=LIVES)
def test_a_run_ends_or_waits_or_stops_for_a_person_and_queues_no_message_twice(
    life: tuple[Plan, Plan, list[Happening]],
) -> None:
    first, other, coming = life
    lived = live([first, other], coming)
    assert not lived.cut_short
    for run in lived.runs:
        if run.outcome is None and run.parked is None:
            assert run.state.wait is not None
    keys = Counter(
        entry.detail["message"]
        for entry in lived.timeline
        if entry.kind == "step" and entry.what in ("queued", "skipped") and "message" in entry.detail
    )
    assert [key for key, count in keys.items() if count > 1] == []
    assert set(keys) == {letter.id for letter in lived.letters}


@settings(max_examples=40, deadline=None, database=None)
@given(life=LIVES)
def test_no_message_goes_against_policy(life: tuple[Plan, Plan, list[Happening]]) -> None:
    first, other, coming = life
    plans = {plan.journey: plan for plan in (first, other)}
    lived = live([first, other], coming)
    withdrawn = min((hours for hours, name, _ in coming if name == "consent withdrawn"), default=None)
    sent = [letter for letter in lived.letters if letter.fate == "sent"]
    runs = {run.id: run for run in lived.runs}
    for letter in sent:
        step = plans[letter.journey].by_id[letter.step]
        assert isinstance(step, MessageStep)
        assert not runs[letter.run].state.holdout
        if step.transactional:
            continue
        if withdrawn is not None:
            assert letter.at <= START + timedelta(hours=withdrawn)
        shown = letter.at.astimezone(zone(ZONE))
        assert step.quiet_hours is None or not _within(step.quiet_hours, shown)
        assert not step.window or any(_within(hours, shown) for hours in step.window)
        if step.limit is not None:
            _under_the_cap(letter, step, lived.letters)


def _within(hours: Hours, shown: datetime) -> bool:
    """Whether the clock stands within these hours, by hand."""
    minute, today = shown.hour * 60 + shown.minute, shown.weekday()
    if hours.start < hours.end:
        return today in hours.days and hours.start <= minute < hours.end
    return (today in hours.days and minute >= hours.start) or (
        (today - 1) % 7 in hours.days and minute < hours.end
    )


def _under_the_cap(letter: Letter, step: MessageStep, letters: Sequence[Letter]) -> None:
    assert step.limit is not None
    earliest = (
        letter.at - timedelta(days=step.limit.per.days, seconds=step.limit.per.seconds) + timedelta(hours=1)
    )
    before = [
        one
        for one in letters[: letters.index(letter)]
        if not one.transactional and one.fate in ("sent", "held") and one.at > earliest
    ]
    assert len(before) < step.limit.count


class Twice(Life):
    """Takes every turn a second time, with what was answered the first time."""

    def _turn(self, run: Run) -> None:
        before, lead, inbox, now = run.state, dict(self.state.lead), list(run.inbox), self.state.now
        said: list[tuple[Effect, Any]] = []
        world, self._world = self._world, _Heard(self._world, said)
        super()._turn(run)
        self._world = world
        again = take_turn(run.plan, before, lead, inbox, now)
        answer: Any = None
        for effect, answered in said:
            assert again.send(answer) == effect
            answer = answered
        try:
            again.send(answer)
        except StopIteration as stop:
            end: TurnEnd = stop.value
            assert (end.state, end.outcome, end.parked) == (run.state, run.outcome, run.parked)
        else:
            raise AssertionError("the second time it went on")


class _Heard(World):
    """A world that writes down what it was asked and what it said."""

    def __init__(self, world: World, said: list[tuple[Effect, Any]]) -> None:
        self._asked = world
        self._said = said

    def answer(self, run: Run, effect: Effect) -> Any:
        answer = self._asked.answer(run, effect)
        self._said.append((effect, answer))
        return answer

    def deliver(self, run: Run, now: datetime) -> None:
        self._asked.deliver(run, now)


@settings(max_examples=25, deadline=None, database=None)
@given(life=LIVES)
def test_a_turn_taken_again_is_the_same_turn(life: tuple[Plan, Plan, list[Happening]]) -> None:
    first, other, coming = life
    live([first, other], coming, Twice)
