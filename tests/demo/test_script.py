"""The demo's leads are believable and nobody, and what they do is what the repository's journeys wait for."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import holidays
import phonenumbers
import pytest

from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.language.plan import MessageStep
from dripline.language.project import Project, load_project
from dripline.simulate.life import Life
from dripline.simulate.setting import NOBODY
from dripline.stack.demo import DAY
from dripline.stack.demo.behaviour import Act, OnDay
from dripline.stack.demo.fates import LENGTH, PATIENT
from dripline.stack.demo.script import script

ACTS = script()
COMING = {act.person.external_id: act for act in ACTS if act.does == "comes"}
RESERVED = re.compile(r"@(example\.(com|org|net)|[a-z-]+\.example)$")


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(Path(__file__).parents[2])


def test_the_same_seed_gives_the_same_demo_and_another_one_another() -> None:
    assert script(7) == script(7)
    assert script(7) != script(8)


def test_there_are_two_hundred_leads_of_whom_no_two_share_anything() -> None:
    people = [act.person for act in COMING.values()]
    assert len(people) == 200
    for known in ([one.external_id for one in people], [one.email for one in people]):
        assert len(set(known)) == 200
    phones = [one.phone for one in people if one.phone]
    assert len(phones) == len(set(phones)) > 150
    assert all(RESERVED.search(one.email) for one in people)
    assert min(Counter(one.language for one in people)[name] for name in ("en", "hy", "ru")) > 40


def test_every_number_is_valid_where_its_lead_lives() -> None:
    for act in COMING.values():
        if act.person.phone:
            number = phonenumbers.parse(act.person.phone)
            assert phonenumbers.is_valid_number_for_region(number, act.person.country), act.person.phone


def test_amharic_is_spoken_where_welcome_speaks_it() -> None:
    speakers = {act.person.external_id for act in ACTS if act.person.language == "am"}
    said = {act.body["name"] for act in ACTS if act.person.external_id in speakers and act.does == "says"}
    assert len(speakers) > 3
    assert said <= {"signup.requested", "demo.booked", "order.paid"}


def test_what_is_told_is_what_the_workspace_declares(project: Project) -> None:
    assert project.workspace is not None
    for act in ACTS:
        if act.does == "says":
            properties = {name: _dated(value) for name, value in act.body["properties"].items()}
            assert set(project.workspace.coerce_event(act.body["name"], properties)) == set(properties)
        elif act.does != "redeems":
            said = {"external_id": act.person.external_id, **act.body}
            read_change(LeadIn.model_validate(said), project.workspace)


def test_every_journey_has_its_leads_and_messages_that_are_answered_exist(project: Project) -> None:
    told = {act.body["name"] for act in ACTS if act.does == "says"} | {"lead.created"}
    told |= {"referral.welcomed"}  # by the house, to who says whose friend it is
    messages = {
        step.template
        for plan in project.plans.values()
        for step in plan.by_id.values()
        if isinstance(step, MessageStep)
    }
    told |= {"cart.abandoned", "product.due"}  # by nobody: they subscribe, fill no carts and use nothing up
    told |= {"segment.entered", "lead.warmed"}  # by the house: to who slips away, and who is hot
    told |= {"lead.lost"}  # by nobody: none of them is given up
    for journey, plan in project.plans.items():
        by_the_calendar = plan.trigger.yearly is not None
        assert by_the_calendar or told & set(plan.trigger.on.events), journey
    assert {act.after for act in ACTS if act.after} <= messages


def test_no_lead_changes_twice_which_could_not_be_told_apart() -> None:
    changes = Counter(act.person.external_id for act in ACTS if act.does == "changes")
    assert set(changes.values()) == {1}


def test_acts_of_a_lead_are_numbered_in_the_order_in_which_they_happen() -> None:
    for lead in COMING:
        own = sorted((act for act in ACTS if act.person.external_id == lead), key=lambda act: act.number)
        assert own[0].does == "comes"
        timed = [act.days for act in own if act.after is None]
        assert timed == sorted(timed)


def test_all_of_it_fits_into_two_minutes() -> None:
    assert timedelta(seconds=115) > LENGTH * DAY
    assert max(act.days for act in ACTS if act.after is None) < LENGTH


@pytest.mark.parametrize("country", PATIENT)
def test_patient_leads_live_where_a_holiday_is_never_far(country: str) -> None:
    days = sorted(day for year in range(2026, 2041) for day in holidays.country_holidays(country, years=year))
    assert max((later - earlier).days for earlier, later in pairwise(days)) <= 105


@pytest.mark.parametrize("month", range(1, 13))
def test_whoever_says_no_has_come_to_the_end_in_time_whatever_the_season(
    project: Project, month: int
) -> None:
    """Also where nothing that they were sent is answered, as in the control group."""
    midnight = datetime(2026, month, 3, tzinfo=UTC)
    rejected = {
        act.person.external_id for act in ACTS if act.does == "says" and act.body["name"] == "lead.rejected"
    }
    for lead in rejected:
        acts = [act for act in ACTS if act.person.external_id == lead and act.after is None]
        assert _ends(project, acts, midnight) <= midnight + timedelta(days=LENGTH), lead


def _ends(project: Project, acts: list[Act], midnight: datetime) -> datetime:
    """When the last run of a lead ends that does these things."""
    plans = [plan for name, plan in project.plans.items() if name in ("welcome", "reactivation")]
    coming = {name: value for name, value in acts[0].body.items() if name not in ("attributes", "historical")}
    start = midnight + timedelta(days=acts[0].days)
    lead = {**NOBODY, **coming, "id": acts[0].person.external_id, "created_at": start}
    life = Life(plans, lead, start)
    if not acts[0].body.get("historical"):
        life.happens("lead.created", {}, start)
    for act in acts[1:]:
        if act.does == "says":
            life.happens(act.body["name"], act.body["properties"], midnight + timedelta(days=act.days))
    life.live(midnight + timedelta(days=700))
    assert all(run.outcome for run in life.runs)
    return max((run.state.last_at for run in life.runs), default=start)


def _dated(value: Any) -> Any:
    if not isinstance(value, OnDay):
        return value
    return "2027-01-01" if value.whole else "2027-01-01T15:00:00+00:00"
