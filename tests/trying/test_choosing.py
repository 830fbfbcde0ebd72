from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dripline.engine.effects import Event, RunState, Wait
from dripline.language.plan import EventFilter, Exit, Goal, Plan, Trigger, WaitForStep
from dripline.language.project import Project, load_project
from dripline.trying.acts import Act
from dripline.trying.choosing import Choice, Seen, choices
from dripline.trying.starting import Given, facts_of, making, start_of
from tests.engine.plans import on, plan

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
PROJECT = load_project(ROOT)
LEAD = {"consent": {"email": True, "sms": False}, "stage": None, "locale": "en", "timezone": "Asia/Yerevan"}
WAITS = [
    (journey, step.id)
    for journey, one in PROJECT.plans.items()
    for step in one.steps
    if isinstance(step, WaitForStep)
]


@pytest.fixture(scope="module")
def project() -> Project:
    return PROJECT


RESULTS = {"seller": {"person": "aram", "name": "Aram"}, "call": {"id": "task-1"}, "demo": {"id": "task-2"}}
"""What steps before a wait may have come to, by the names that the repository's journeys give them."""


def standing(step: str, trigger: Event | None = None) -> RunState:
    """A run that waits at that step."""
    wait = Wait(NOW, None)
    return RunState("r", step, wait, RESULTS, {}, trigger, trigger, None, NOW, NOW)


def offered(wanted: Plan, state: RunState, lead: dict[str, Any], project: Project) -> list[Choice]:
    assert project.workspace is not None
    made = making(Given("ani@example.com"), wanted, project.workspace, NOW)
    return choices(Seen(wanted, state, lead), project.workspace, made)


def waiting(wanted: EventFilter, **more: Any) -> Plan:
    return plan(WaitForStep(id="wait", on=wanted), **{"exits": (), **more})


def the_act(wanted: Plan, project: Project, lead: dict[str, Any] | None = None) -> Act | None:
    """What is offered to end the wait."""
    return offered(wanted, standing("wait"), lead or LEAD, project)[0].act


@pytest.mark.parametrize(("journey", "step"), WAITS)
def test_at_every_wait_of_this_repository_something_can_be_done(
    journey: str, step: str, project: Project
) -> None:
    wanted = project.plans[journey]
    assert project.workspace is not None
    start = start_of(wanted, project.workspace, Given("ani@example.com"), NOW)
    assert start.act is not None
    trigger = Event("t", start.act.event, start.act.values, NOW)
    lead = facts_of(start.lead, "ani@example.com", project.workspace)
    found = offered(wanted, standing(step, trigger), lead, project)
    assert found[0].does == "ends the wait"
    assert [one for one in found if one.act is None] == []


def test_the_wait_comes_first_then_the_goal_then_the_ways_out(project: Project) -> None:
    wanted = waiting(
        on("demo.booked"),
        goal=Goal(on=on("order.paid")),
        exits=(Exit(on=on("lead.unsubscribed"), reason="unsubscribed"),),
    )
    found = offered(wanted, standing("wait"), LEAD, project)
    assert [(one.event, one.does) for one in found] == [
        ("demo.booked", "ends the wait"),
        ("order.paid", "reaches the goal"),
        ("lead.unsubscribed", "leaves: unsubscribed"),
    ]


def test_values_pass_the_filter_also_where_it_compares_with_the_entry_event(project: Project) -> None:
    wanted = waiting(on("order.paid", when="event.total > trigger.total", event_only=False))
    state = standing("wait", Event("t", "order.paid", {"total": 251}, NOW))
    [choice] = offered(wanted, state, LEAD, project)
    assert choice.act is not None
    assert choice.act.values["total"] == 252


def test_an_event_is_of_the_runs_own_key(project: Project) -> None:
    wanted = waiting(on("order.paid"), trigger=Trigger(on=on("order.paid"), key="order_id"))
    state = standing("wait", Event("t", "order.paid", {"order_id": "A-7"}, NOW))
    [choice] = offered(wanted, state, LEAD, project)
    assert choice.act is not None
    assert choice.act.values["order_id"] == "A-7"


def test_an_update_changes_the_lead_so_that_it_is_let_through(project: Project) -> None:
    wanted = waiting(on("lead.updated", when="lead.stage == 'customer'", event_only=False))
    assert the_act(wanted, project) == Act("lead.updated", {"stage": "customer"})
    without = {**LEAD, "consent": {}}
    wanted = waiting(on("lead.updated", when="lead.consent.email", event_only=False))
    assert the_act(wanted, project, without) == Act("lead.updated", {"consent.email": True})


def test_where_the_lead_is_like_that_already_something_else_of_it_changes(project: Project) -> None:
    wanted = waiting(on("lead.updated", when="lead.consent.email", event_only=False))
    assert the_act(wanted, project) == Act("lead.updated", {"stage": "lead"})


def test_what_cannot_be_made_up_is_offered_with_its_condition(project: Project) -> None:
    wanted = waiting(on("demo.booked", when="event.seats > 5 and event.seats < 5"))
    [choice] = offered(wanted, standing("wait"), LEAD, project)
    assert (choice.act, choice.when) == (None, "event.seats > 5 and event.seats < 5")


def test_a_run_that_rests_elsewhere_does_not_listen_for_what_it_will_wait_for(project: Project) -> None:
    assert offered(waiting(on("demo.booked")), replace(standing("wait"), wait=None), LEAD, project) == []


def test_who_is_asked_may_give_the_best_answer(project: Project) -> None:
    [wait] = [step for step in project.plans["nps"].steps if isinstance(step, WaitForStep)]
    found = offered(project.plans["nps"], standing(wait.id), LEAD, project)[0]
    assert found.act == Act("survey.answered", {"survey": "recommend", "answer": "10"})
