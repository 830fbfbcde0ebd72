"""Many leads at once: everybody is accounted for, the dice fall the same way, and what all share holds."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dripline.language.project import Project, load_project
from dripline.simulate.crowd import Crowd, NoLeads, beginning, gather, lead_of, samples_of
from dripline.simulate.forecast import Forecast, over_time, peak
from dripline.simulate.population import live_all
from dripline.simulate.rates import Rate, RateError, read_rate
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)

JOURNEY = """
journey: first
trigger: {event: demo.booked}
goal: {event: order.paid, value: event.total, within: 60 days}
exit: [{event: lead.unsubscribed, reason: unsubscribed}]
messages: {topic: newsletter}
steps:
  - email: hello
  - wait_for: order.paid
    when: "event.total > 5"
    timeout: 4 days
    then: [{stop: never}]
    else:
      - discount: {amount: 500, valid: 7 days}
        as: gift
      - sms: gift
"""
SCENARIOS = """
- scenario: pays
  lead: {email: ani@example.com, phone: "+37491123456", locale: en, timezone: UTC, consent: {email: true, sms: true}}
  start: 2026-01-05T10:00
  trigger: {seats: 2, starts_at: 2026-01-07T10:00}
  events:
    - {after: 1 day, event: order.paid, total: 3}
    - {after: 2 days, event: order.paid, total: 9}
  partial: true
  expect: []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("templates/gift.en.txt", "{{ gift.code }}: " + "a gift of {{ gift.amount }} for you. " * 8)
    folder.write("journeys/first.yaml", JOURNEY)
    folder.write("journeys/first.test.yaml", SCENARIOS)
    return folder


def crowd_of(project: Project, journey: str, count: int = 10, days: int = 30, **rates: str) -> Crowd:
    assert [str(problem) for problem in project.problems if problem.severity == "error"] == []
    assert project.workspace is not None
    plans, kinds = gather(project, project.workspace, journey)
    samples = samples_of(project, project.workspace, journey)
    known = {name.replace("__", "."): read_rate(text) for name, text in rates.items()}
    return Crowd(journey, plans, kinds, samples, known, count, START, 5 * DAY, START + days * DAY, 1)


def endings(forecast: Forecast) -> dict[str, int]:
    return {one.reason or one.outcome: one.count for one in forecast.endings}


def test_where_nobody_answers_all_can_be_reckoned_by_hand(folder: Folder) -> None:
    forecast = live_all(crowd_of(load_project(folder.root), "first"))
    assert endings(forecast) == {"finished": 10}
    [ending] = forecast.endings
    assert (ending.share, ending.days, ending.latest) == (1.0, 4, 4)
    assert forecast.by_message == {("first", "email:hello"): 10, ("first", "sms:gift"): 10}
    # Two enter a day: the e-mail on their day, the SMS on the fourth after it.
    assert [(str(day), channel, number) for (day, channel, _), number in forecast.messages.items()] == [
        ("2026-03-02", "email", 2),
        ("2026-03-03", "email", 2),
        ("2026-03-04", "email", 2),
        ("2026-03-05", "email", 2),
        ("2026-03-06", "email", 2),
        ("2026-03-06", "sms", 2),
        ("2026-03-07", "sms", 2),
        ("2026-03-08", "sms", 2),
        ("2026-03-09", "sms", 2),
        ("2026-03-10", "sms", 2),
    ]
    assert forecast.segments == {"en": 20}  # 197 characters: two segments each
    assert forecast.cost(25) == 500
    [discount] = forecast.discounts
    assert (discount.worth, discount.count, discount.amount, discount.currency) == (
        "500 AMD",
        10,
        5000,
        "AMD",
    )


def test_where_everybody_answers_the_answer_is_one_that_the_wait_takes(folder: Folder) -> None:
    forecast = live_all(crowd_of(load_project(folder.root), "first", order__paid="100%"))
    assert endings(forecast) == {"order.paid": 10}
    assert (forecast.converted, forecast.value) == (10, 90.0)
    assert forecast.sent == 10


def test_what_nobody_waits_for_comes_within_its_time_of_the_entry(folder: Folder) -> None:
    forecast = live_all(crowd_of(load_project(folder.root), "first", 50, lead__unsubscribed="100%/2 days"))
    assert endings(forecast) == {"unsubscribed": 50}
    assert forecast.endings[0].days is not None
    assert 0.5 < forecast.endings[0].days < 1.5


def test_the_same_seed_gives_the_same_and_another_one_another(folder: Folder) -> None:
    crowd = crowd_of(load_project(folder.root), "first", 60, order__paid="40%", lead__unsubscribed="20%")
    assert live_all(crowd) == live_all(crowd)
    assert live_all(crowd) != live_all(replace(crowd, seed=2))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 40),
    days=st.integers(1, 20),
    paid=st.floats(0, 1),
    left=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_every_lead_is_accounted_for(
    folder: Folder, count: int, days: int, paid: float, left: float, seed: int
) -> None:
    crowd = replace(
        crowd_of(load_project(folder.root), "first", count, days),
        rates={"order.paid": Rate(paid), "lead.unsubscribed": Rate(left, 3 * DAY)},
        over=min(5, days) * DAY,
        seed=seed,
    )
    forecast = live_all(crowd)
    assert forecast.leads == count
    assert sum(one.count for one in forecast.endings) == forecast.runs == count
    assert sum(forecast.by_message.values()) == forecast.sent
    assert forecast.by_message["first", "email:hello"] == count
    labels, series, _ = over_time(forecast)
    assert sum(sum(values) for values in series.values()) == forecast.sent
    assert all(len(values) == len(labels) for values in series.values())


def test_all_leads_together_keep_the_throttle(folder: Folder) -> None:
    throttled = JOURNEY.replace("{topic: newsletter}", "{topic: newsletter, throttle: 6 per hour}")
    folder.write("journeys/first.yaml", throttled)
    crowd = replace(crowd_of(load_project(folder.root), "first", 90), over=timedelta())
    forecast = live_all(crowd)
    [busiest] = forecast.peaks
    assert (busiest.count, busiest.most, busiest.per) == (6, 6, timedelta(hours=1))
    # 90 at once, one every ten minutes: the last e-mail goes 890 minutes after the first, on the same day.
    assert forecast.messages[date(2026, 3, 2), "email", "en"] == 90
    free = live_all(replace(crowd_of(load_project(ROOT), "farewell", 90), over=timedelta()))
    assert all(one.most is None for one in free.peaks)


def test_messages_are_counted_within_any_hour_and_not_only_from_one_full_hour_to_the_next() -> None:
    minutes = [0, 30, 50, 70, 89, 90, 200]
    moments = [START + timedelta(minutes=one) for one in minutes]
    assert peak(moments, timedelta(hours=1)) == (4, START + timedelta(minutes=30))
    assert peak([], timedelta(hours=1)) == (0, None)


def test_dates_are_as_far_from_a_lead_as_they_were_in_its_scenario(folder: Folder) -> None:
    crowd = crowd_of(load_project(folder.root), "first")
    crowd = replace(crowd, plans={**crowd.plans, "first": crowd.plans["first"].model_copy(
        update={"event_times": {"demo.booked": {"starts_at": "datetime"}}}
    )})  # fmt: skip
    last = lead_of(crowd, 9)
    assert last.start == START + 4.5 * DAY
    assert last.coming[0][1].properties["starts_at"].startswith("2026-03-08")  # type: ignore[union-attr]


def test_birthdays_are_spread_over_the_year(folder: Folder) -> None:
    folder.write(
        "journeys/birthday.yaml",
        "journey: birthday\ntrigger: {date: lead.birthday}\nmessages: {topic: newsletter}\nsteps: [{email: hello}]\n",
    )
    folder.write(
        "journeys/birthday.test.yaml",
        "- {scenario: one, lead: {email: a@example.com, birthday: 1990-05-17, consent: {email: true}},"
        " start: 2026-05-01T10:00, partial: true, expect: []}\n",
    )
    crowd = replace(crowd_of(load_project(folder.root), "birthday", 120, 365), over=timedelta())
    forecast = live_all(crowd)
    assert forecast.sent + forecast.kept_out == 120
    months = {day.month for day, _, _ in forecast.messages}
    assert len(months) == 12


def test_a_journey_whose_scenarios_let_nobody_in_is_refused(folder: Folder) -> None:
    folder.write(
        "journeys/first.test.yaml", "- {scenario: none, lead: {}, start: 2026-05-01T10:00, expect: []}\n"
    )
    folder.write("journeys/first.yaml", JOURNEY.replace("demo.booked}", 'demo.booked, when: "lead.email"}'))
    project = load_project(folder.root)
    assert project.workspace is not None
    with pytest.raises(NoLeads, match="write one there"):
        gather(project, project.workspace, "first")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0.2", Rate(0.2)),
        ("20%", Rate(0.2)),
        (" 12.5 % / 2 days", Rate(0.125, 2 * DAY)),
        ("1/90 min", Rate(1.0, timedelta(minutes=90))),
    ],
)
def test_a_rate_is_a_share_and_a_time(text: str, rate: Rate) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["", "often", "120%", "-1", "2", "20%/often", "20%/0s"])
def test_what_is_no_rate_is_told(text: str) -> None:
    with pytest.raises(RateError, match="is no rate"):
        read_rate(text)


def test_a_day_begins_at_midnight_where_the_workspace_is() -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    assert beginning(date(2026, 3, 2), project.workspace.zone) == datetime(2026, 3, 1, 20, tzinfo=UTC)


def test_a_thousand_leads_over_half_a_year_take_seconds() -> None:
    project = load_project(ROOT)
    rates = {"demo__booked": "20%", "order__paid": "5%", "lead__unsubscribed": "2%"}
    crowd = crowd_of(project, "welcome", 1000, 180, **rates)
    began = time.process_time()
    assert live_all(crowd).runs == 1000
    assert time.process_time() - began < 10  # about one on a machine of 2024
