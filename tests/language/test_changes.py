"""What can be wrong with steps that change, divide or go round, and what their plans are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import LeadValue, RepeatStep, SplitStep, UpdateStep
from tests.language.conftest import Folder
from tests.language.test_compile import plan

Check = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        ("- set: {total: lead.score * 2}\n- if: total > 3\n  email: hello", []),
        ("- set: {a: nobody.x}", ["6:12 unknown-name"]),
        ("- set: {lead: '1'}", ["6:9 bad-name"]),
        ("- set: {a: '1 +'}", ["6:16 bad-expression"]),
        ("- if: total > 3\n  set: {total: '1'}", ["6:7 unset-name"]),
        ("- set: {order: trigger}\n- if: order.name == 'x'\n  stop: x", []),
        ("- set: {}", ["6:8 wrong-value"]),
        ("- split: [{percent: 50, name: a, steps: [{stop: a}]}]", ["6:3 percents"]),
        (
            "- split:\n    - {percent: 50%, name: a, steps: [{stop: a}]}\n"
            "    - {percent: 49.5, name: b, steps: [{stop: b}]}",
            ["6:3 percents"],
        ),
        (
            "- split:\n    - {percent: 33.3, name: a, steps: [{stop: a}]}\n"
            "    - {percent: 66.7, name: a, steps: [{stop: b}]}",
            ["7:29 duplicate-name", "8:29 duplicate-name"],
        ),
        ("- split: [{percent: half, name: a, steps: [{stop: a}]}]", ["6:21 wrong-type"]),
        ("- repeat: {every: 1 day, times: 3, steps: [{email: hello}]}", []),
        ("- repeat: {every: 1 day, until: lead.vip, steps: [{email: hello}]}", []),
        ("- repeat: {every: 1 day, steps: [{email: hello}]}", ["6:3 endless-loop"]),
        ("- repeat: {times: 3, steps: [{email: hello}]}", ["6:11 missing-key"]),
        ("- repeat: {every: 0s, times: 3, steps: [{email: hello}]}", ["6:19 out-of-range"]),
        ("- repeat: {every: 1 day, times: 0, steps: [{email: hello}]}", ["6:33 out-of-range"]),
        ("- repeat: {every: 1 day, times: 2, steps: [{stop: x}]}\n- stop: y", ["7:3 unreachable"]),
        (
            "- repeat: {every: 1 day, until: hi.sent, steps: [{email: hello, as: hi}]}",
            ["6:33 unset-name"],
        ),
        ("- repeat: {every: 1 day, times: 2, steps: [{email: hello, as: hi}]}\n- if: hi.sent\n  stop: x", []),
        ("- update: {stage: x, score: {add: 10}, tags: {add: vip, remove: [new]}, plan: gold}", []),
        ("- update: {plan: '{{ lead.plan | upper }}', birthday: '{{ today }}'}", []),
        ("- update: {}", ["6:11 wrong-value"]),
        ("- update: {plam: gold}", ["6:12 unknown-attribute"]),
        ("- update: {birthday: soon}", ["6:22 wrong-value"]),
        ("- update: {plan: '{{ lead.plam }}'}", ["6:22 unknown-attribute"]),
        ("- update: {plan: '{{ lead.plan }} x'}", ["6:19 wrong-value"]),
        ("- update: {score: 3}", ["6:19 wrong-type"]),
        ("- update: {score: {add: 3, set: 4}}", ["6:19 wrong-value"]),
        ("- update: {score: {add: much}}", ["6:25 wrong-value"]),
        ("- enroll: j", ["6:11 wrong-value"]),
        ("- unenroll: j", ["6:13 wrong-value"]),
        ("- enroll: nowhere", ["6:11 unknown-journey"]),
        ("- enroll: Nowhere", ["6:11 bad-id"]),
    ],
)
def test_what_is_wrong_is_told_at_its_place(check_steps: Check, steps: str, problems: list[str]) -> None:
    assert check_steps(steps + "\n") == problems


def test_a_journey_that_there_is_can_be_entered_and_left(folder: Folder) -> None:
    other = "journey: other\ntrigger: {event: lead.created}\nsteps: [{stop: x}]\n"
    folder.write("journeys/other.yaml", other)
    assert plan(folder, "  - enroll: other\n  - unenroll: other\n").steps[1].id == "unenroll:other"
    folder.write("journeys/k.yaml", other.replace("other", "k").replace("{stop: x}", "{enroll: othr}"))
    [problem] = folder.load().problems
    assert "did you mean `other`" in problem.hint


def test_a_loop_leads_back_to_itself(folder: Folder) -> None:
    found = plan(
        folder,
        """
  - repeat:
      every: 2 days
      times: 3
      steps:
        - email: hello
        - repeat: {every: 1h, until: lead.vip, steps: [{delay: 1 day}]}
  - stop: x
""",
    )
    assert [(step.id, step.next) for step in found.steps] == [
        ("repeat after start", "stop after start"),
        ("email:hello", "repeat after email:hello"),
        ("repeat after email:hello", "repeat after start"),
        ("after email:hello/repeat", "repeat after email:hello"),
        ("stop after start", None),
    ]
    outer = found.steps[0]
    assert isinstance(outer, RepeatStep)
    assert outer.first == "email:hello"
    assert outer.within == ("email:hello", "repeat after email:hello", "after email:hello/repeat")


def test_percents_can_be_changed_without_changing_ids(folder: Folder) -> None:
    def ids(percent: int) -> list[str]:
        found = plan(
            folder,
            f"""
  - split:
      - {{percent: {percent}, name: offer, steps: [{{email: hello}}]}}
      - {{percent: {100 - percent}, name: control, steps: [{{delay: 1 day}}]}}
  - stop: x
""",
        )
        split = found.steps[0]
        assert isinstance(split, SplitStep)
        assert [arm.to for arm in split.arms] == ["email:hello", "after start/control"]
        return [step.id for step in found.steps]

    assert (
        ids(10) == ids(90) == ["split after start", "email:hello", "after start/control", "stop after start"]
    )


def test_an_update_has_values_of_the_declared_types(folder: Folder) -> None:
    [found] = plan(
        folder,
        '  - update: {stage: new, score: {add: -5}, vip: true, plan: "{{ lead.plan }}",'
        " trial_ends_at: 2026-03-02T10:00}\n",
    ).steps
    assert isinstance(found, UpdateStep)
    assert found.score_add == LeadValue(kind="number", value=-5)
    assert found.attributes == {
        "vip": LeadValue(kind="boolean", value=True),
        "plan": LeadValue(kind="text", expression="lead.plan"),
        "trial_ends_at": LeadValue(kind="datetime", value="2026-03-02T06:00:00+00:00"),
    }
