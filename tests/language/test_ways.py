"""What `check` finds of ways that are never taken, messages that are never sent, and events that never come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.language.conftest import Folder

Check = Callable[[str], list[str]]

DEAD = [
    ("- repeat: {every: 1 day, until: lead.vip and not lead.vip, steps: [{sms: hello}]}", "6:33 dead-branch"),
    (
        "- split:\n    - {percent: 100, name: a, steps: [{stop: x}]}\n    - {percent: 0, name: b, steps: [{stop: y}]}",
        "8:8 dead-branch",
    ),
    ("- stop: x\n  if: lead.plan == 'a' and lead.plan == 'b'", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.score > 5 and lead.score <= 5", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.score > 5 and not lead.score", "7:7 dead-branch"),
    ("- stop: x\n  if: 3 < lead.score < 2", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.vip and not lead.vip", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.vip and lead.vip is empty", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.plan in ['a', 'b'] and lead.plan not in ['b', 'a']", "7:7 dead-branch"),
    ("- stop: x\n  if: \"'x' in lead.tags and 'x' not in lead.tags\"", "7:8 dead-branch"),
    ("- stop: x\n  if: (lead.plan | lower) == 'a' and (lead.plan | lower) == 'b'", "7:7 dead-branch"),
    ("- stop: x\n  if: lead.plan == 'a' and (lead.plan == 'b' or lead.plan is empty)", "7:7 dead-branch"),
    (
        "- branch: [{when: lead.plan == 'a', steps: [{stop: x}]}, {when: lead.plan == 'a', steps: [{stop: y}]}]",
        "6:65 dead-branch",
    ),
    (
        "- branch: [{when: lead.vip, steps: [{stop: x}]}, {when: not lead.vip, steps: [{sms: hello}]},"
        " {else: [{stop: z}]}]",
        "6:96 dead-branch",
    ),
    (
        "- branch:\n    - when: lead.plan == 'a'\n      steps:\n        - {stop: x, if: lead.plan == 'b'}",
        "9:25 dead-branch",
    ),
    (
        "- wait_for: demo.booked\n  when: event.seats >= 5\n  as: demo\n  timeout: 1 day\n  then:\n"
        "    - delay: 2 days\n    - {stop: x, if: demo.seats < 3}",
        "12:21 dead-branch",
    ),
    (
        "- wait_for: demo.booked\n  when: event.seats > 4 and event.seats < 5\n  timeout: 1 day\n  as: x",
        "7:9 dead-branch",
    ),
    (
        "- wait_for: demo.booked\n  when: event.name == 'order.paid'\n  timeout: 1 day\n  as: x",
        "7:9 dead-branch",
    ),
    ("- stop: x\n  if: trigger.name == 'demo.booked'", "7:7 dead-branch"),
    (
        "- split:\n    - {percent: 100, name: a, steps: [{stop: x, if: lead.vip}]}\n  if: lead.plan == 'a'\n"
        "- {sms: hello, if: lead.vip and not lead.vip}",
        "9:20 dead-branch",
    ),
]
ALIVE = [
    "- stop: x\n  if: lead.plan == 'a' or lead.plan == 'b'",
    "- stop: x\n  if: lead.score >= 5 and lead.score <= 5",
    "- stop: x\n  if: lead.score > 5 and lead.score < 6",  # scores are numbers, not whole ones
    "- stop: x\n  if: lead.plan != 'a' and lead.plan != 'b'",
    "- stop: x\n  if: not lead.plan and lead.plan is defined",
    "- stop: x\n  if: not (lead.score > 5) and not (lead.score <= 5)",  # where it is Empty
    "- stop: x\n  if: \"'x' in lead.tags and 'y' in lead.tags\"",
    "- stop: x\n  if: lead.plan == 'a' and (lead.plan | upper) == 'A'",
    "- stop: x\n  if: lead.birthday > today and lead.birthday < today + days(7)",
    "- stop: x\n  if: trigger.name == 'journey.enrolled'",
    "- branch: [{when: lead.plan == 'a', steps: [{stop: x}]}, {when: lead.plan == 'b', steps: [{stop: y}]}]",
    # the lead may have changed meanwhile
    "- branch:\n    - when: lead.plan == 'a'\n      steps: [{delay: 1 day}, {stop: x, if: lead.plan == 'b'}]",
    "- branch:\n    - when: lead.plan == 'a'\n      steps: [{update: {plan: b}}, {stop: x, if: lead.plan == 'b'}]",
    # another event has come
    "- wait_for: demo.booked\n  when: event.seats > 5\n  timeout: 1 day\n  as: demo\n"
    "- wait_for: demo.booked\n  when: event.seats < 5\n  timeout: 1 day\n  as: again",
    # the name has been given anew
    "- set: {x: 1}\n- branch:\n    - when: x == 1\n      steps: [{set: {x: 2}}, {stop: a, if: x == 2}]",
    "- repeat:\n    every: 1 day\n    times: 3\n    steps:\n"
    "      - {stop: a, if: lead.vip}\n      - {sms: hello, if: not lead.vip}",
    # somebody skips to it past the branch
    "- delay_until: {date: lead.birthday, if_missing: {skip: late}, if_past: exit}\n"
    "- {stop: x, if: lead.vip}\n- {sms: hello, if: lead.vip, id: late}",
]


@pytest.mark.parametrize(("steps", "problem"), DEAD)
def test_a_way_that_is_never_taken_is_told(check_steps: Check, steps: str, problem: str) -> None:
    assert check_steps(steps + "\n") == [problem]


@pytest.mark.parametrize("steps", ALIVE)
def test_what_can_happen_is_not_told_as_dead(check_steps: Check, steps: str) -> None:
    assert check_steps(steps + "\n") == []


def test_the_triggers_filter_counts_for_those_who_come_by_it(check: Check) -> None:
    head = "journey: j\ntrigger: {event: demo.booked, when: event.seats >= 5}\nsteps:\n  - delay: 3 days\n"
    assert check(head + "  - {stop: x, if: trigger.seats < 3}\n") == ["5:19 dead-branch"]
    assert check(head + "  - {stop: x, if: trigger.seats is empty}\n") == []  # who was enrolled


def test_a_dead_way_in_a_block_is_told_in_the_blocks_file(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "journeys/blocks/b.yaml", "block: b\nsteps:\n  - {stop: x, if: lead.plan == 'a'}\n  - sms: hello\n"
    )
    steps = "- branch:\n    - when: lead.plan == 'b'\n      steps: [{include: b}]\n"
    assert check_steps(steps) == ["journeys/blocks/b.yaml:3:19 dead-branch"]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("- {email: hello, if: not lead.consent.email}", "6:4 never-sent"),
        ("- {sms: hello, if: lead.phone is empty}", "6:4 never-sent"),
        ("- {email: hello, if: lead.topics.newsletter == false}", "6:4 never-sent"),
        (
            "- delay_until: 22:00\n- email: {template: hello, quiet_hours: 21:00-09:00, expires: 2h}",
            "7:54 never-sent",
        ),
        (
            "- delay_until: sunday 10:00\n- email: {template: hello, window: mon-fri 09:00-18:00, expires: 1h}",
            "7:57 never-sent",
        ),
    ],
)
def test_a_message_that_can_never_be_sent_is_told(check_steps: Check, steps: str, problem: str) -> None:
    assert check_steps(steps + "\n") == [problem]


@pytest.mark.parametrize(
    "steps",
    [
        "- email: {template: hello, transactional: true}\n  if: not lead.consent.email",
        "- {email: hello, if: not lead.consent.sms}",
        "- {email: hello, if: not lead.topics.newsletter}",  # Empty: the lead has not left it
        "- delay_until: 22:00\n- email: {template: hello, quiet_hours: 21:00-09:00, expires: 12h}",
        "- delay_until: 22:00\n- delay: 12h\n- email: {template: hello, quiet_hours: 21:00-09:00, expires: 2h}",
        "- delay_until: 20:00\n- email: {template: hello, quiet_hours: 21:00-09:00, expires: 2h}",
        "- delay_until: holiday 22:00\n- email: {template: hello, quiet_hours: 21:00-09:00, expires: 2h}",
    ],
)
def test_a_message_that_may_be_sent_is_not_told(check_steps: Check, steps: str) -> None:
    assert check_steps(steps + "\n") == []


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("- wait_for: lead.created\n  timeout: 1 day\n  as: x", "6:3 never-emitted"),
        ("- wait_for: lead.confirmed\n  timeout: 1 day\n  as: x", "6:3 never-emitted"),
        (
            "- wait_for: lead.updated\n  when: \"'nick' in event.changed\"\n  timeout: 1 day\n  as: x",
            "7:20 never-emitted",
        ),
        (
            "- wait_for: lead.unsubscribed\n  when: event.channel == 'push'\n  timeout: 1 day\n  as: x",
            "7:9 never-emitted",
        ),
        (
            "- wait_for: lead.unsubscribed\n  when: event.topic == 'sport'\n  timeout: 1 day\n  as: x",
            "7:9 never-emitted",
        ),
    ],
)
def test_an_event_that_never_comes_is_told(check_steps: Check, steps: str, problem: str) -> None:
    assert check_steps(steps + "\n") == [problem]


@pytest.mark.parametrize(
    "steps",
    [
        "- wait_for: lead.created\n  since: start\n  timeout: 1 day\n  as: x",
        "- wait_for: lead.updated\n  when: \"'plan' in event.changed or 'nick' in event.changed\"\n"
        "  timeout: 1 day\n  as: x",
        "- wait_for: lead.unsubscribed\n  when: event.topic == 'newsletter'\n  timeout: 1 day\n  as: x",
        "- wait_for: [lead.unsubscribed, order.paid]\n  when: event.channel != 'push'\n  timeout: 1 day\n  as: x",
    ],
)
def test_an_event_that_can_come_is_not_told(check_steps: Check, steps: str) -> None:
    assert check_steps(steps + "\n") == []


def test_a_confirmation_can_come_where_a_template_asks_for_it(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/ask.en.txt", "Yes: {{ confirm_link() }}")
    assert check_steps("- sms: ask\n- wait_for: lead.confirmed\n  timeout: 1 day\n  as: x\n") == []


def test_two_journeys_that_take_in_the_same_leads_are_told(folder: Folder) -> None:
    journey = 'journey: {0}\ntrigger: {{event: {1}, when: "{2}"}}\nmessages: {{topic: newsletter}}\nsteps: [{{{3}}}]\n'

    def told(one: tuple[str, str, str], other: tuple[str, str, str]) -> list[str]:
        for name, said in (("a", one), ("b", other)):
            folder.write(f"journeys/{name}.yaml", journey.format(name, *said))
        return folder.told()

    hello, stop = "email: hello", "stop: x"
    assert told(("order.paid", "lead.vip", hello), ("order.paid", "event.total > 5", hello)) == [
        "journeys/b.yaml:2:18 overlapping-triggers"
    ]
    assert told(
        ("[lead.created, order.paid]", "true", hello), ("[demo.booked, order.paid]", "true", hello)
    ) == ["journeys/b.yaml:2:32 overlapping-triggers"]
    assert told(("order.paid", "event.total > 5", hello), ("order.paid", "event.total <= 5", hello)) == []
    assert told(("order.paid", "lead.vip", hello), ("order.paid", "not lead.vip", hello)) == []
    assert told(("order.paid", "lead.vip", hello), ("demo.booked", "lead.vip", hello)) == []
    assert told(("order.paid", "lead.vip", hello), ("order.paid", "lead.vip", stop)) == []


def test_a_condition_that_cannot_be_read_makes_no_other_way_dead(check_steps: Check) -> None:
    told = check_steps("- branch: [{when: lead.vip =, steps: [{stop: x}]}, {else: [{stop: y}]}]\n")
    assert told == ["6:28 bad-expression"]
