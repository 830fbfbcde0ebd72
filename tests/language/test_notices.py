"""What `check` says of notices and fallbacks, and what becomes of them in the plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import MessageStep, NotifyStep
from tests.language.conftest import WORKSPACE, Folder

Check = Callable[[str], list[str]]


@pytest.fixture
def people(folder: Folder) -> Folder:
    """A workspace with people."""
    people = "people: {nare: {email: nare@example.com}, aram: {phone: +37491000001}, gor: {name: Gor}}\n"
    folder.write("dripline.yaml", WORKSPACE + people + "default_owner: nare\n")
    return folder


def test_notices_compile_with_whom_and_what_they_need(people: Folder, check_steps: Check) -> None:
    told = check_steps(
        """
        - notify: owner
          text: "{{ lead.email }} is here since {{ lead.created_at | date }}"
        - notify: {to: nare, template: hello, subject: "See {{ lead.birthday | default(now) }}"}
        - notify: +37491000009
          template: hello
        """
    )
    assert told == []
    plan = people.load().plans["j"]
    assert [step.id for step in plan.steps] == [
        "notify owner after start",
        "notify nare after start",
        "notify +37491000009 after start",
    ]
    first = plan.steps[0]
    assert isinstance(first, NotifyStep)
    assert first.template == "#notify owner after start"
    assert sorted(plan.templates) == [
        "email:#notify owner after start",
        "email:hello",
        "sms:#notify owner after start",
        "sms:hello",
    ]
    assert (sorted(plan.people), plan.default_owner) == (["aram", "gor", "nare"], "nare")
    assert sorted(plan.senders) == ["email", "sms"]
    assert plan.attribute_times == {"birthday": "date"}


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("- notify: nara\n  text: x\n", "6:11 unknown-person"),
        ("- notify: gor\n  text: x\n", "6:11 no-address"),
        ("- notify: nare\n", "6:3 missing-key"),
        ("- notify: nare\n  text: x\n  template: hello\n", "6:3 two-kinds"),
        ("- notify: {to: nare, text: x}\n  text: y\n", "7:3 duplicate-key"),
        ("- notify: nare\n  template: helo\n", "6:11 missing-template"),
        ('- notify: nare\n  text: "{{ nobody.x }}"\n', "7:13 unknown-name"),
        ('- notify: nare\n  text: "{{ lead.emial }}"\n', "7:13 unknown-attribute"),
        ('- notify: {to: nare, text: "{{ lead.email"}\n', "6:29 bad-template"),
        ("- email: {template: hello, fallback: {email: hello}}\n", "6:3 wrong-value"),
        ("- email: {template: hello, fallback: sms}\n", "6:38 wrong-value"),
        ("- email: {template: hello, fallback: {sms: helo}}\n", "6:44 missing-template"),
        ("- email: {template: hello, fallback: {sms: hello, as: x}}\n", "6:38 wrong-value"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(people: Folder, check_steps: Check, step: str, told: str) -> None:
    assert check_steps(step) == [told]


def test_where_nobody_is_declared_nobody_can_be_the_owner(check_steps: Check) -> None:
    assert check_steps("- notify: owner\n  text: x\n") == ["6:11 unknown-person"]


def test_a_default_owner_must_be_somebody(folder: Folder) -> None:
    folder.write("dripline.yaml", WORKSPACE + "people: {nare: {email: a@example.com}}\ndefault_owner: nara\n")
    (folder.root / "journeys").mkdir()
    assert folder.told() == ["dripline.yaml:12:1 unknown-person"]


def test_a_fallback_is_a_step_of_its_own(people: Folder, check_steps: Check) -> None:
    told = check_steps(
        "- email: {template: hello, fallback: {sms: hello}}\n  as: hello\n- stop: done\n  if: hello.skipped\n"
    )
    assert told == []
    first, second, _ = people.load().plans["j"].steps
    assert isinstance(first, MessageStep)
    assert isinstance(second, MessageStep)
    assert (first.id, first.fallback, first.next) == ("email:hello", "sms:hello", "stop after email:hello")
    assert (second.next, second.result, second.topic) == ("stop after email:hello", "hello", "newsletter")
