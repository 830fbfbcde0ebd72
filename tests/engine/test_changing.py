"""Variables, changes of the lead, lots, loops and other journeys, told as transcripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.engine.effects import TOO_LONG, Outcome, TurnEnd, UpdateLead
from dripline.engine.keeping import kept, restored
from dripline.engine.moving import Turn
from dripline.engine.turn import take_turn
from dripline.language.expressions import EvaluationError
from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayStep,
    Duration,
    EnrollStep,
    Exit,
    LeadValue,
    Plan,
    RepeatStep,
    SetStep,
    Share,
    SplitStep,
    StopStep,
    Trigger,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
)
from tests.engine.plans import DAY, email, on, plan
from tests.engine.world import ANI, MONDAY, World, happened

DAYS = timedelta(days=1)


def number(value: float) -> LeadValue:
    return LeadValue(kind="number", value=value)


def test_several_names_are_set_at_once_from_the_values_before() -> None:
    swap = plan(
        SetStep(id="one", values={"a": "1", "b": "lead.score + 1"}, next="two"),
        SetStep(
            id="two",
            values={"a": "b", "b": "a", "day": "today + days(1)", "lacking": "lead.nobody"},
            next="is",
        ),
        BranchStep(id="is", arms=(Arm(when="a == 5 and b == 1 and day > today and not lacking", to="yes"),)),
        StopStep(id="yes", reason="swapped"),
    )
    world = World(swap, {**ANI, "score": 4})
    assert world.live() == ["2026-01-05 09:00 ended swapped"]
    assert world.state.variables == {"a": 5, "b": 1, "day": {"$date": "2026-01-06"}, "lacking": None}


def test_what_cannot_be_kept_parks_the_run() -> None:
    world = World(plan(SetStep(id="set", values={"long": "days(2)"})))
    world.live()
    assert world.parked == "cannot-be-kept"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text()
    | st.dates()
    | st.datetimes().map(lambda at: at.replace(tzinfo=MONDAY.tzinfo)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(_JSON)
def test_what_is_kept_comes_back_as_it_was(value: Any) -> None:
    assert restored(kept(value)) == value


def test_what_can_not_be_kept_is_refused() -> None:
    for value in (timedelta(days=1), float("nan"), object()):
        with pytest.raises(EvaluationError):
            kept(value)


def lots(*percents: float) -> Plan:
    arms = tuple(
        Share(percent=percent, name=f"arm{number}", to=f"arm{number}")
        for number, percent in enumerate(percents)
    )
    stops = (StopStep(id=arm.name, reason=arm.name) for arm in arms)
    return plan(SplitStep(id="split", arms=arms), *stops)


def way(journey: Plan, lead: str) -> str:
    world = World(journey, {**ANI, "id": lead})
    world.live()
    assert world.outcome is not None
    return str(world.outcome.reason)


@given(st.text(min_size=1, max_size=20), st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_the_same_lead_always_goes_the_same_way(lead: str, weights: list[int]) -> None:
    journey = lots(*(100 * weight / sum(weights) for weight in weights))
    assert way(journey, lead) == way(journey, lead)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100))
def test_leads_are_divided_by_the_percents(percent: int) -> None:
    ways = [way(lots(percent, 100 - percent), f"lead-{number}") for number in range(400)]
    assert abs(ways.count("arm0") / 4 - percent) < 11
    if percent in (0, 100):
        assert set(ways) == {"arm0" if percent else "arm1"}


def test_a_wider_arm_keeps_those_whom_it_had() -> None:
    leads = [f"lead-{number}" for number in range(300)]
    before = {lead for lead in leads if way(lots(20, 80), lead) == "arm0"}
    assert before < {lead for lead in leads if way(lots(50, 50), lead) == "arm0"}


def test_the_arm_stands_in_the_story() -> None:
    turn = take_turn(lots(100, 0), World(lots(100, 0)).state, ANI, [], MONDAY)
    notes = [effect for effect in turn if getattr(effect, "what", "") == "split"]
    assert [note.detail for note in notes] == [{"arm": "arm0"}]  # type: ignore[union-attr]


def loop(**more: Any) -> RepeatStep:
    given: dict[str, Any] = {
        "id": "loop",
        "every": DAY,
        "first": "email:nudge",
        "within": ("email:nudge",),
        "next": "stop",
    }
    return RepeatStep(**(given | more))


STOP = StopStep(id="stop", reason="out")


def test_a_loop_rests_between_its_passes_and_not_after_the_last() -> None:
    world = World(plan(loop(times=3), email("nudge", next="loop"), STOP))
    assert world.live() == [
        "2026-01-05 09:00 email nudge",
        "2026-01-06 09:00 email nudge",
        "2026-01-07 09:00 email nudge",
        "2026-01-07 09:00 ended out",
    ]
    assert world.state.loops == {}
    assert world.state.visits == {"loop": 1, "email:nudge": 3, "stop": 1}


@given(st.integers(1, 12), st.integers(0, 3))
def test_as_many_passes_as_were_asked_for_however_late_the_worker(times: int, late: int) -> None:
    world = World(plan(loop(times=times), email("nudge", next="loop"), STOP))
    lines = world.live(lateness=late * DAYS)
    assert lines[-1] == f"{MONDAY + (times - 1) * DAYS:%Y-%m-%d} 09:00 ended out"
    assert len(lines) == times + 1


def test_until_is_asked_before_the_first_pass() -> None:
    world = World(plan(loop(until="lead.plan == 'paid'"), email("nudge", next="loop"), STOP))
    world.lead = {**ANI, "plan": "paid"}
    assert world.live() == ["2026-01-05 09:00 ended out"]


def test_until_is_asked_again_after_the_rest() -> None:
    world = World(plan(loop(until="lead.plan == 'paid'"), email("nudge", next="loop"), STOP))
    world.turn(MONDAY)
    world.turn(MONDAY + 1 * DAYS)
    world.lead = {**ANI, "plan": "paid"}
    world.turn(MONDAY + 2 * DAYS)
    assert world.lines == [
        "2026-01-05 09:00 email nudge",
        "2026-01-06 09:00 email nudge",
        "2026-01-07 09:00 ended out",
    ]


def test_nobody_rests_for_a_pass_that_will_not_be() -> None:
    counting = plan(
        loop(until="lead.score >= 2", times=9, first="add", within=("add",)),
        UpdateStep(id="add", score_add=number(1), next="loop"),
        STOP,
    )
    assert World(counting).live() == [
        "2026-01-05 09:00 changed score",
        "2026-01-06 09:00 changed score",
        "2026-01-06 09:00 ended out",
    ]


def test_a_wait_within_a_loop_takes_each_event_once() -> None:
    asking = plan(
        loop(times=3, first="wait", within=("wait", "email:nudge")),
        WaitForStep(id="wait", on=on("visit"), timeout=DAY, then="email:nudge", otherwise="loop"),
        email("nudge", next="loop"),
        STOP,
    )
    assert World(asking).live([happened("visit", 0.5 * DAYS)]) == [
        "2026-01-05 21:00 email nudge",
        "2026-01-09 21:00 ended out",
    ]


NESTED = plan(
    RepeatStep(
        id="outer",
        every=Duration(days=7),
        times=2,
        first="inner",
        within=("inner", "email:nudge"),
        next="stop",
    ),
    loop(id="inner", times=2, next="outer"),
    email("nudge", next="inner"),
    STOP,
)


@given(st.integers(0, 20))
def test_a_loop_within_a_loop_begins_anew_each_time(late: int) -> None:
    assert World(NESTED).live(lateness=late * DAYS) == [
        "2026-01-05 09:00 email nudge",
        "2026-01-06 09:00 email nudge",
        "2026-01-13 09:00 email nudge",
        "2026-01-14 09:00 email nudge",
        "2026-01-14 09:00 ended out",
    ]


def test_an_exit_ends_a_loop_in_its_rest() -> None:
    world = World(plan(loop(times=3), email("nudge", next="loop"), STOP))
    assert world.live([happened("lead.unsubscribed", 0.5 * DAYS)]) == [
        "2026-01-05 09:00 email nudge",
        "2026-01-05 21:00 ended unsubscribed",
    ]


VIP = UpdateStep(
    id="update",
    stage=LeadValue(kind="text", value="nurtured"),
    score_add=number(10),
    tags_add=("vip",),
    tags_remove=("new",),
    attributes={"plan": LeadValue(kind="text", expression="trigger.plan | upper")},
    next="is",
)


def test_the_rest_of_the_turn_sees_the_changed_lead() -> None:
    changing = plan(
        VIP,
        BranchStep(id="is", arms=(Arm(when="lead.score == 15 and 'vip' in lead.tags", to="stop"),)),
        STOP,
    )
    world = World(changing, {**ANI, "score": 5, "tags": ["new", "old"], "plan": "trial"})
    assert world.live() == ["2026-01-05 09:00 changed plan, score, stage, tags", "2026-01-05 09:00 ended out"]
    assert [world.lead[name] for name in ("stage", "tags", "plan")] == ["nurtured", ["old", "vip"], None]


def test_an_update_that_changes_nothing_tells_nobody() -> None:
    still = plan(
        UpdateStep(id="update", stage=LeadValue(kind="text", value="x"), tags_add=("a",), score_set=number(3))
    )
    world = World(still, {**ANI, "stage": "x", "tags": ["a", "b"], "score": 3.0})
    assert world.live() == ["2026-01-05 09:00 ended finished"]


@given(
    st.lists(st.sampled_from("abcd"), unique=True),
    st.lists(st.sampled_from("abcd"), unique=True),
    st.lists(st.sampled_from("abcd"), unique=True),
)
def test_tags_and_stages_that_are_set_twice_are_set_once(
    had: list[str], add: list[str], remove: list[str]
) -> None:
    def step(id_: str, **more: Any) -> UpdateStep:
        return UpdateStep(id=id_, tags_add=tuple(add), tags_remove=tuple(remove), score_set=number(1), **more)

    world = World(plan(step("one", next="two"), step("two")), {**ANI, "tags": had})
    assert len([line for line in world.live() if "changed" in line]) <= 1
    assert set(world.lead["tags"]) == (set(had) - set(remove)) | set(add)


def test_a_journey_is_left_by_the_change_that_it_made_itself() -> None:
    leaving = plan(
        UpdateStep(id="update", stage=LeadValue(kind="text", value="customer"), next="email:hello"),
        email("hello"),
        exits=(
            Exit(
                on=on("lead.updated", when="lead.stage == 'customer'", event_only=False),
                reason="became a customer",
            ),
        ),
    )
    assert World(leaving).live() == [
        "2026-01-05 09:00 changed stage",
        "2026-01-05 09:00 ended became a customer",
    ]


@given(st.integers(0, 5))
def test_no_wait_is_ended_by_the_runs_own_change(late: int) -> None:
    waiting = plan(
        UpdateStep(id="update", score_add=number(1), next="wait"),
        WaitForStep(id="wait", on=on("lead.updated"), timeout=Duration(days=3), then="stop"),
        STOP,
    )
    assert World(waiting).live(lateness=late * DAYS) == [
        "2026-01-05 09:00 changed score",
        "2026-01-08 09:00 ended finished",
    ]


def test_a_value_of_another_type_parks_the_run_and_changes_nothing() -> None:
    wrong = plan(UpdateStep(id="u", attributes={"seats": LeadValue(kind="integer", expression="lead.email")}))
    world = World(wrong)
    world.live()
    assert world.parked == "not-of-type-integer"
    assert world.lead == ANI


def test_dates_become_what_the_attribute_is() -> None:
    dated = plan(
        UpdateStep(
            id="u",
            attributes={
                "day": LeadValue(kind="date", expression="now"),
                "at": LeadValue(kind="datetime", expression="now"),
            },
        )
    )
    world = World(dated, {**ANI, "timezone": "Asia/Tokyo"})
    world.live()
    assert (world.lead["day"], world.lead["at"]) == ("2026-01-05", "2026-01-05T09:00:00+00:00")


def test_too_long_a_chain_of_journeys_ends_with_its_reason() -> None:
    turn = take_turn(plan(VIP, STOP), World(plan(VIP, STOP)).state, ANI, [], MONDAY)
    effect: Any = next(turn)
    while not isinstance(effect, UpdateLead):
        effect = turn.send(None)
    assert last(turn).outcome == Outcome("too-long", TOO_LONG)


def last(turn: Turn) -> TurnEnd:
    """Answer None to whatever else the turn asks; how it ends."""
    while True:
        try:
            turn.send(None)
        except StopIteration as stop:
            end: TurnEnd = stop.value
            return end


def test_a_lead_enters_and_leaves_other_journeys() -> None:
    others = plan(
        EnrollStep(id="in", journey="vip", next="rest"),
        DelayStep(id="rest", duration=DAY, next="out"),
        UnenrollStep(id="out", journey="vip"),
    )
    lines = ["2026-01-05 09:00 enters vip", "2026-01-06 09:00 leaves vip", "2026-01-06 09:00 ended finished"]
    assert World(others).live() == lines
    barred = World(others)
    barred.enrolling = "the lead is in the journey already"
    assert barred.live() == lines


def test_only_events_of_the_same_key_count() -> None:
    asking = plan(
        WaitForStep(id="wait", on=on("visit", "shipped"), timeout=Duration(days=3), then="stop"),
        STOP,
        trigger=Trigger(on=on("order.paid"), key="order"),
    )
    world = World(asking)
    world.state = replace(world.state, trigger=happened("order.paid", order="A-1"))
    other = happened("shipped", 1 * DAYS, order="A-2")
    assert world.live([other]) == ["2026-01-08 09:00 ended finished"]
    again = World(asking)
    again.state = replace(again.state, trigger=happened("order.paid", order="A-1"))
    assert again.live([other, happened("visit", 2 * DAYS)]) == ["2026-01-07 09:00 ended out"]
