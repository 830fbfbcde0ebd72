"""From a journey to its plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dripline.language.plan import BranchStep, DelayStep, Duration, MessageStep, Plan, StopStep, WaitForStep
from dripline.language.project import load_project
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]


def plan(folder: Folder, steps: str, head: str = "") -> Plan:
    folder.write(
        "journeys/j.yaml",
        "journey: j\ntrigger: {event: lead.created}\nmessages: {topic: newsletter, limit: 2 per week}\n"
        + head
        + "steps:\n"
        + steps,
    )
    project = folder.load()
    assert project.errors == 0, project.problems
    return project.plans["j"]


def ways(plan: Plan) -> list[tuple[str, str | None]]:
    return [(step.id, step.next) for step in plan.steps]


def test_the_welcome_journey_compiles() -> None:
    project = load_project(ROOT)
    assert project.problems == ()
    welcome = project.plans["welcome"]
    assert [step.id for step in welcome.steps] == [
        "email:welcome/hello",
        "after email:welcome/hello",
        "after email:welcome/hello/2",
        "sms:welcome/see-you-there",
        "stop after sms:welcome/see-you-there",
        "email:welcome/offer",
    ]
    wait = welcome.by_id["after email:welcome/hello/2"]
    assert isinstance(wait, WaitForStep)
    assert (wait.then, wait.otherwise, wait.on.event_only) == (
        "sms:welcome/see-you-there",
        "email:welcome/offer",
        True,
    )
    assert {key: sorted(locales) for key, locales in welcome.templates.items()} == {
        "email:welcome/hello": ["am", "en", "hy", "ru"],
        "email:welcome/offer": ["am", "en", "hy", "ru"],
        "sms:welcome/see-you-there": ["am", "en", "hy", "ru"],
    }
    assert welcome.event_times == {"demo.booked": {"starts_at": "datetime"}}
    assert [exit_.reason for exit_ in welcome.exits] == ["unsubscribed", "rejected", "became a customer"]


def test_a_plan_survives_json_with_the_same_hash() -> None:
    welcome = load_project(ROOT).plans["welcome"]
    assert Plan.model_validate_json(welcome.model_dump_json()).hash == welcome.hash


def test_what_a_plan_leaves_at_its_default_is_not_in_its_hash() -> None:
    """So that a release whose plans can say more does not take every journey for a changed one."""
    first, second = Plan(**_LITTLE), Plan(**_LITTLE, throttle=None, exits=(), event_times={})
    assert first.hash == second.hash
    assert first.hash != Plan(**_LITTLE, priority=51).hash
    waits = DelayStep(id="a", duration=Duration(days=1))
    assert Plan(**{**_LITTLE, "steps": (waits,)}).hash != first.hash


_LITTLE: dict[str, Any] = {
    "journey": "j",
    "title": "J",
    "timezone": "UTC",
    "locale": "en",
    "senders": {},
    "trigger": {"on": {"events": ["lead.created"]}},
    "steps": (StopStep(id="a", reason="done"),),
    "templates": {},
}


def test_ways_meet_at_the_next_step(folder: Folder) -> None:
    found = plan(
        folder,
        """
  - wait_for: demo.booked
    timeout: 1 day
    then:
      - delay: 1 day
        id: in-then
    else:
      - delay: 2 days
        id: in-else
  - branch:
      - when: lead.vip
        steps: [{delay: 1 day, id: arm}]
    id: fork
  - email: hello
    id: last
""",
    )
    assert ways(found) == [
        ("after start", "fork"),
        ("in-then", "fork"),
        ("in-else", "fork"),
        ("fork", "last"),
        ("arm", "last"),
        ("last", None),
    ]
    fork = found.by_id["fork"]
    assert isinstance(fork, BranchStep)
    assert [(arm.when, arm.to) for arm in fork.arms] == [("lead.vip", "arm")]


def test_without_then_and_else_a_wait_leads_on(folder: Folder) -> None:
    wait = plan(folder, "  - wait_for: demo.booked\n    timeout: 1 day\n    as: x\n  - email: hello\n").steps[
        0
    ]
    assert isinstance(wait, WaitForStep)
    assert (wait.then, wait.otherwise, wait.next) == ("email:hello",) * 3


def test_arguments_of_a_wait_may_stand_within_or_beside(folder: Folder) -> None:
    beside = plan(
        folder,
        "  - wait_for: demo.booked\n    when: event.seats > 1\n    timeout: 1 day\n    since: 2h\n    as: x\n",
    )
    within = plan(
        folder,
        "  - wait_for: {event: [demo.booked], when: event.seats > 1, timeout: 1 day, since: 2h}\n    as: x\n",
    )
    assert beside == within
    wait = within.steps[0]
    assert isinstance(wait, WaitForStep)
    assert (wait.since, wait.timeout) == (Duration(seconds=7_200), Duration(days=1))


def test_shortening_a_delay_changes_no_id(folder: Folder) -> None:
    steps = "  - email: hello\n  - delay: {}\n  - delay: 1 day\n  - sms: hello\n"
    long, short = (plan(folder, steps.format(length)) for length in ("2 days", "1 h"))
    assert [step.id for step in long.steps] == [step.id for step in short.steps]
    assert long.hash != short.hash


def test_derived_ids_leave_out_values(folder: Folder) -> None:
    found = plan(
        folder,
        """
  - delay: 1 day
  - email: hello
  - email: hello
  - delay: 1 day
    id: pause
  - branch:
      - when: lead.vip
        steps:
          - delay: 1 day
          - stop: vip
      - else:
          - wait_for: demo.booked
            timeout: 1 day
            then: [{stop: a}]
            else: [{stop: b}]
""",
    )
    assert [step.id for step in found.steps] == [
        "after start",
        "email:hello",
        "email:hello/2",
        "pause",
        "branch after pause",
        "after pause/arm1",
        "stop after pause/arm1",
        "after pause/else",
        "stop after pause/else/then",
        "stop after pause/else/else",
    ]


def test_an_explicit_id_wins_over_a_derived_one(folder: Folder) -> None:
    found = plan(folder, "  - email: hello\n  - sms: hello\n    id: email:hello\n")
    assert [step.id for step in found.steps] == ["email:hello/2", "email:hello"]


def test_defaults_hold_for_every_message_but_transactional_ones(folder: Folder) -> None:
    found = plan(
        folder,
        "  - email: hello\n  - email: {template: hello, transactional: true}\n"
        "  - email: {template: hello, limit: 1 per day}\n",
    )
    messages = [step for step in found.steps if isinstance(step, MessageStep)]
    limits = [step.limit and (step.limit.count, step.limit.per.days) for step in messages]
    assert limits == [(2, 7), None, (1, 1)]
    assert [step.topic for step in messages] == ["newsletter", None, "newsletter"]


def test_a_plan_names_the_times_that_its_journey_reads(folder: Folder) -> None:
    found = plan(
        folder,
        "  - email: hello\n    if: lead.birthday > today\n  - wait_for: demo.booked\n",
        "goal: {event: order.paid, value: event.total, within: 1 month}\n",
    )
    assert found.attribute_times == {"birthday": "date"}
    assert found.event_times == {"demo.booked": {"starts_at": "datetime"}}


def test_a_plan_has_the_senders_that_it_uses(folder: Folder) -> None:
    assert set(plan(folder, "  - email: hello\n").senders) == {"email"}


def test_reentry_may_be_after_a_time(folder: Folder) -> None:
    folder.write(
        "journeys/j.yaml",
        "journey: j\ntrigger: {event: lead.created, reentry: after 30 days}\nsteps: [{delay: 1 day}]\n",
    )
    found = folder.load().plans["j"]
    assert found.trigger.reentry == Duration(days=30)
    assert isinstance(found.steps[0], DelayStep)


@pytest.mark.parametrize("change", ["templates/hello.en.md", "journeys/j.yaml"])
def test_what_a_lead_gets_is_in_the_hash(folder: Folder, change: str) -> None:
    before = plan(folder, "  - email: hello\n    note: first\n  - stop: done\n")
    text = (folder.root / change).read_text()
    folder.write(change, text.replace("Hello!", "Hi!").replace("stop: done", "stop: over"))
    assert folder.load().plans["j"].hash != before.hash
