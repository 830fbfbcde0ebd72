from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dripline.engine.effects import Event
from dripline.engine.entering import triggers
from dripline.language.plan import Duration, EventFilter, Plan, Trigger, Yearly
from dripline.language.project import Project, load_project
from dripline.trying.acts import Act
from dripline.trying.starting import CannotEnter, Given, Start, facts_of, start_of
from tests.engine.plans import email, on, plan

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
PROJECT = load_project(ROOT)


@pytest.fixture(scope="module")
def project() -> Project:
    return PROJECT


def entered_by(wanted: EventFilter, **more: Any) -> Plan:
    """A plan with that trigger."""
    return plan(email("hello"), trigger=Trigger(on=wanted, **more))


def started(wanted: Plan, project: Project, **said: Any) -> Start:
    assert project.workspace is not None
    return start_of(wanted, project.workspace, Given("ani@example.com", **said), NOW)


@pytest.mark.parametrize("journey", PROJECT.plans)
def test_every_journey_of_this_repository_lets_the_made_up_lead_in(journey: str, project: Project) -> None:
    wanted = project.plans[journey]
    start = started(wanted, project)
    assert project.workspace is not None
    facts = facts_of(start.lead, "ani@example.com", project.workspace)
    if not wanted.trigger.on.events:  # by the calendar: the made-up lead comes as on its day
        yearly = wanted.trigger.yearly
        assert start.act is None
        assert yearly is None or start.lead[yearly.attribute] == "2025-03-01"
        return
    assert start.act is not None
    assert triggers(wanted, facts, Event("", start.act.event, start.act.values, NOW))


def test_the_lead_is_as_the_workspaces_leads_are(project: Project) -> None:
    lead = started(project.plans["welcome"], project).lead
    assert (lead["locale"], lead["timezone"], lead["country"]) == ("en", "Asia/Yerevan", "AM")
    assert (lead["consent.email"], lead["topics.newsletter"]) == (True, True)
    assert lead["first_name"] == "Ani"  # as the templates read it
    assert "birthday" not in lead  # which nothing reads


def test_what_was_said_stays(project: Project) -> None:
    said = {"locale": "hy", "country": "US", "first_name": "Nare", "company": ""}
    lead = started(project.plans["welcome"], project, lead=said).lead
    assert (lead["locale"], lead["country"], lead["first_name"]) == ("hy", "US", "Nare")
    assert "timezone" not in lead  # the country tells better than the workspace
    assert not lead["company"]


def test_consent_is_kept_back_where_the_trigger_wants_it_so(project: Project) -> None:
    assert started(project.plans["welcome-opt-in"], project).lead["consent.email"] is False


def test_the_event_has_values_that_the_trigger_lets_in(project: Project) -> None:
    wanted = entered_by(on("demo.booked", when="event.seats > 100 and lead.stage == 'trial'"))
    start = started(wanted, project)
    assert start.lead["stage"] == "trial"
    assert start.act is not None
    assert start.act.values["seats"] == 101
    assert start.historical


def test_a_property_that_was_said_is_not_varied(project: Project) -> None:
    wanted = entered_by(on("demo.booked", when="event.seats > 100"))
    start = started(wanted, project, properties={"seats": "200"})
    assert start.act is not None
    assert start.act.values["seats"] == 200
    with pytest.raises(CannotEnter, match=r"when `event.seats > 100`(.|\n)*--event-property"):
        started(wanted, project, properties={"seats": "2"})


def test_of_several_events_the_first_is_taken_or_the_one_that_was_said(project: Project) -> None:
    wanted = entered_by(on("demo.booked", "order.paid"))
    for said, taken in ((None, "demo.booked"), ("order.paid", "order.paid")):
        act = started(wanted, project, event=said).act
        assert act is not None
        assert act.event == taken
    with pytest.raises(CannotEnter, match=r"but by demo\.booked or order\.paid"):
        started(wanted, project, event="lead.created")


def test_an_update_tells_what_was_not_known_before(project: Project) -> None:
    start = started(entered_by(on("lead.updated", when="lead.stage == 'customer'")), project)
    assert start.act == Act("lead.updated", {"stage": "customer"})
    assert "stage" not in start.lead
    start = started(entered_by(on("lead.updated", when="not lead.consent.email")), project)
    assert start.act == Act("lead.updated", {"consent.email": False})
    assert start.lead["consent.email"] is True


def test_where_no_event_lets_anybody_in_the_lead_is_enrolled(project: Project) -> None:
    assert started(entered_by(EventFilter(events=())), project).act is None


def test_who_enters_by_a_date_has_it_and_had_its_day_yesterday(project: Project) -> None:
    week_before = Yearly(attribute="birthday", kind="date", offset=Duration(days=-7))
    start = started(entered_by(EventFilter(events=()), yearly=week_before), project)
    assert (start.act, start.lead["birthday"]) == (None, "2025-03-08")  # 1 March 2026, and a week
