"""What `check` finds of values that do not go together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.language.conftest import Folder

Check = Callable[[str], list[str]]
WAIT = '- wait_for: [demo.booked, order.paid]\n  timeout: 1 day\n  as: it\n  when: "{}"\n'


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("event.seats >= '5'", "cannot-compare"),
        ("'5' < event.seats", "cannot-compare"),
        ("event.starts_at > '2026-03-02'", "cannot-compare"),
        ("event.starts_at > today", "cannot-compare"),
        ("event.items > 3", "cannot-compare"),
        ("lead.vip > false", "cannot-compare"),
        ("lead.plan in event.total", "cannot-compare"),
        ("event.seats in 'a text'", "cannot-compare"),
        ("event.seats == '5'", "never-equal"),
        ("lead.vip != 'true'", "never-equal"),
        ("lead.birthday == now", "never-equal"),
        ("event.seats in [1, 'two']", "never-equal"),
        ("3 in lead.tags", "never-equal"),
        ("event.name == 3", "never-equal"),
        ("lead.first_name + 1 == 2", "cannot-calculate"),
        ("lead.birthday + 7 == today", "cannot-calculate"),
        ("lead.first_touch.source > 3", "cannot-compare"),
        ("lead.last_touch.cost == '5'", "never-equal"),
        ("event.total | upper == 'X'", "cannot-calculate"),
        ("(event.total | length) > 3", "cannot-calculate"),
    ],
)
def test_values_that_do_not_go_together_are_told(check_steps: Check, condition: str, code: str) -> None:
    [problem] = check_steps(WAIT.format(condition))
    assert problem.split() == [f"9:{problem.split()[0].removeprefix('9:')}", code]


@pytest.mark.parametrize(
    "condition",
    [
        "event.seats >= 5 and event.total < 9.5",
        "event.starts_at > now - days(1)",
        "event.starts_at - now > hours(2)",
        "lead.birthday == today",
        "(lead.birthday ~ '') == '2026-03-02'",
        "(lead.plan | int) > 3",
        "lead.plan | default(3) == 3",
        "'vip' in lead.tags",
        "lead.first_touch.at > now - days(30) and lead.first_touch.cost > 0.5",
        "'a' in event.items",
        "lead.vip == 1",
        "(event.items | length) > 3",
        "lead.plan + lead.first_name == 'ab'",
    ],
)
def test_values_that_go_together_are_not_told(check_steps: Check, condition: str) -> None:
    assert check_steps(WAIT.format(condition)) == []


def test_the_cure_is_told_with_the_kinds(folder: Folder, check_steps: Check) -> None:
    check_steps("- stop: x\n  if: lead.score >= '5'\n")
    [problem] = folder.load().problems
    assert (
        problem.message == "`lead.score` is a number, `'5'` is a text: neither is more or less than the other"
    )
    assert problem.hint == "write `5` without quotation marks"


def test_templates_are_looked_at_too(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "templates/t.en.txt", "Hi\n{% set x = 3 %}{% if trigger.seats > '5' and x > 2 %}many{% endif %}"
    )
    told = check_steps("- sms: t\n").copy()
    folder.write(
        "journeys/j.yaml",
        (folder.root / "journeys/j.yaml").read_text().replace("lead.created", "demo.booked"),
    )
    assert "templates/t.en.txt:2:22 cannot-compare" in folder.told()
    assert told == ["templates/t.en.txt:2:22 unknown-property"]


def test_a_subject_is_looked_at_too(check_steps: Check) -> None:
    told = check_steps("- email: {template: hello, subject: \"{% if lead.score > '5' %}Wow{% endif %}\"}\n")
    assert told == ["6:44 cannot-compare"]
