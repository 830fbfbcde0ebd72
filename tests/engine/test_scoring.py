"""What points come to: age, thresholds, and the moment when a score is to be reckoned anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.effects import Event
from dripline.engine.scoring import Given, awarded, cools_at, reckon, warmth_of, worth
from dripline.language.scoring import DAY, ScoreRule, Scoring

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
RULES = Scoring(
    rules=(
        ScoreRule(
            name="Demo", events=("demo.booked",), when="event.seats >= 5", points=30, half_life=30 * DAY
        ),
        ScoreRule(name="Click", events=("email.clicked",), points=4, half_life=10 * DAY, most=2, per=DAY),
        ScoreRule(name="Left", events=("lead.unsubscribed",), points=-20),
        ScoreRule(name="Company", when="lead.company", points=15),
        ScoreRule(name="Large", when="lead.seats >= 50", points=10),
    ),
    warm=20,
    hot=50,
    margin=5,
    grades=(("A", 25.0), ("B", 15.0)),
    timezone="UTC",
)


def days(number: float) -> datetime:
    return MONDAY + timedelta(days=number)


def event(name: str, **properties: Any) -> Event:
    return Event("e", name, properties, MONDAY)


def demo(number: float = 1, at: datetime = MONDAY) -> Given:
    return Given("Demo", 30 * number, at, 30 * DAY)


def test_points_are_worth_half_after_each_half_life() -> None:
    assert [worth(demo(), days(age)) for age in (0, 30, 60, 90)] == [30, 15, 7.5, 3.75]
    assert worth(Given("api", 30, MONDAY), days(9_999)) == 30, "what a person gave does not age"
    assert worth(demo(at=days(3)), MONDAY) == 30, "nor is what comes later worth more now"


def test_an_event_gives_points_where_its_condition_holds_and_only_so_often() -> None:
    never = lambda rule, since: 0  # noqa: E731
    assert awarded(RULES, {}, event("demo.booked", seats=8), MONDAY, never) == [demo()]
    assert awarded(RULES, {}, event("demo.booked", seats=4), MONDAY, never) == []
    assert awarded(RULES, {}, event("demo.booked"), MONDAY, never) == []
    asked = []

    def twice(rule: str, since: datetime) -> int:
        asked.append((rule, since))
        return 2

    assert awarded(RULES, {}, event("email.clicked"), MONDAY, twice) == []
    assert asked == [("Click", days(-1))]


def test_what_is_known_of_a_lead_gives_points_as_long_as_it_is_so_and_its_grade() -> None:
    for lead, score, grade in (
        ({}, 0, "D"),
        ({"company": "Ararat", "seats": 4}, 15, "B"),
        ({"company": "Ararat", "seats": 80}, 25, "A"),
    ):
        scored = reckon(RULES, [], lead, MONDAY, None)
        assert (scored.score, scored.fit, scored.grade, scored.until) == (score, score, grade, None)


def test_a_condition_that_cannot_be_evaluated_does_not_hold() -> None:
    broken = RULES.model_copy(update={"rules": (ScoreRule(name="x", when="1 / lead.seats > 0", points=5),)})
    assert reckon(broken, [], {"seats": 0}, MONDAY, None).score == 0


@pytest.mark.parametrize(
    ("score", "before", "after"),
    [
        (19.99, "cold", "cold"),
        (20, "cold", "warm"),
        (50, "cold", "hot"),
        (50, "warm", "hot"),
        (45.01, "hot", "hot"),
        (45, "hot", "warm"),
        (45.01, "warm", "warm"),
        (15.01, "warm", "warm"),
        (15, "warm", "cold"),
        (15.01, "hot", "warm"),
        (15, "hot", "cold"),
        (30, None, "warm"),
        (18, None, "cold"),
    ],
)
def test_a_lead_cools_only_when_it_has_fallen_below_by_the_margin(
    score: float, before: str | None, after: str
) -> None:
    assert warmth_of(RULES, score, before) == after


def test_without_a_margin_it_is_a_tenth_of_the_threshold() -> None:
    usual = RULES.model_copy(update={"margin": None})
    assert [warmth_of(usual, score, "hot") for score in (45.01, 45)] == ["hot", "warm"]
    assert [warmth_of(usual, score, "warm") for score in (18.01, 18)] == ["warm", "cold"]


def test_the_moment_when_a_lead_cools_is_known_beforehand() -> None:
    at = cools_at(RULES, [demo()], 0, MONDAY, "warm")
    assert at is not None
    assert abs(at - days(30)) < timedelta(minutes=30), "30 points are 15 after a half-life"
    assert cools_at(RULES, [demo()], 25, MONDAY, "warm") is None, "what is known of it keeps it warm"
    assert cools_at(RULES, [], 0, MONDAY, "cold") is None


points = st.lists(
    st.builds(
        Given,
        rule=st.just("r"),
        points=st.floats(-60, 60),
        at=st.floats(-200, 0).map(days),
        half_life=st.none() | st.sampled_from([DAY / 24, DAY, 7 * DAY, 30 * DAY, 365 * DAY]),
    ),
    max_size=8,
)
befores = st.sampled_from([None, "cold", "warm", "hot"])


@given(points, befores)
def test_reckoned_at_its_moments_a_score_is_never_far_from_what_it_is(
    given_points: list[Given], before: str | None
) -> None:
    now, looks = MONDAY, 0
    scored = reckon(RULES, given_points, {}, now, before)
    while scored.until is not None:
        assert scored.until >= now + timedelta(seconds=1)
        looks += 1
        assert looks < 400, "it comes to an end"
        for share in (0.25, 0.5, 0.75):
            between = now + (scored.until - now) * share
            kept = reckon(RULES, given_points, {}, between, scored.warmth)
            assert abs(kept.score - scored.score) <= max(0.6, abs(scored.score) * 0.11) + 0.06
        now = scored.until
        scored = reckon(RULES, given_points, {}, now, scored.warmth)
    lasting = sum(one.points for one in given_points if one.half_life is None)
    assert scored.score == pytest.approx(lasting, abs=0.06)


@given(st.lists(st.floats(15.01, 22), min_size=1, max_size=30))
def test_nobody_flutters_about_a_threshold(scores: list[float]) -> None:
    warmth, told = "cold", 0
    for score in scores:
        after = warmth_of(RULES, score, warmth)
        told += after != warmth
        warmth = after
    assert told <= 1
