"""Times in journeys: what can be written, what it means, and what is told where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

from dripline.language.plan import (
    DelayUntilStep,
    Duration,
    Hours,
    MessageStep,
    Moment,
    Otherwise,
    WaitForStep,
)
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
HEAD = "journey: j\ntrigger:\n  event: lead.created\n"


def compiled(folder: Folder, messages: str, steps: str) -> tuple[object, ...]:
    folder.write("journeys/j.yaml", f"{HEAD}messages: {messages}\nsteps:\n{indent(steps, '  ')}\n")
    project = folder.load()
    assert [str(problem) for problem in project.problems] == []
    return project.plans["j"].steps


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("09:00", Moment(at=540)),
        ("monday 09:00", Moment(weekdays=(0,), at=540)),
        ("tue", Moment(weekdays=(1,))),
        ("mon-fri 18:30", Moment(weekdays=(0, 1, 2, 3, 4), at=1110)),
        ("sat - mon 8:00", Moment(weekdays=(0, 5, 6), at=480)),
        ("holiday", Moment(holiday=True)),
        ("holiday 10:00", Moment(holiday=True, at=600)),
        ("2026-12-24", Moment(day="2026-12-24")),
        ("2026-12-24 10:00", Moment(day="2026-12-24", at=600)),
        ("today + days(3) at 10:00", Moment(date="today + days(3)", at=600)),
        ("now + hours(3)", Moment(date="now + hours(3)")),
        (
            "{date: today, offset: -7 days, at: 09:00, weekday: [mon, wed]}",
            Moment(date="today", offset=Duration(days=-7), at=540, weekdays=(0, 2)),
        ),
    ],
)
def test_a_moment_can_be_written_like_this(folder: Folder, written: str, moment: Moment) -> None:
    first, *_ = compiled(folder, "{topic: newsletter}", f"- delay_until: {written}\n- email: hello")
    assert isinstance(first, DelayUntilStep)
    assert first.moment == moment
    assert first.id == "after start"
    wait, *_ = compiled(
        folder, "{topic: newsletter}", f"- wait_for: demo.booked\n  until: {written}\n  then: [{{stop: x}}]"
    )
    assert isinstance(wait, WaitForStep)
    assert wait.until == moment


def test_a_date_of_the_lead_says_what_to_do_without_it(folder: Folder, check_steps: Check) -> None:
    assert check_steps("- delay_until: lead.birthday at 09:00\n- email: hello\n") == [
        "6:16 no-if-missing",
        "6:16 no-if-past",
    ]
    step = (
        "- delay_until: {date: lead.birthday, if_missing: exit, if_past: {skip: bye}}\n"
        "- email: hello\n- email: hello\n  id: bye"
    )
    first, *_ = compiled(folder, "{topic: newsletter}", step)
    assert isinstance(first, DelayUntilStep)
    assert (first.if_missing, first.if_past) == (Otherwise(do="exit"), Otherwise(do="skip", to="bye"))


def test_a_name_that_is_skipped_over_is_not_surely_set(check_steps: Check) -> None:
    told = check_steps(
        "- delay_until: {date: today, if_missing: continue, if_past: {skip: end}}\n"
        "- email: hello\n  as: hello\n- email: hello\n  id: end\n  if: hello.sent\n"
    )
    assert told == ["11:7 unset-name"]


def test_a_step_behind_a_stop_is_reached_where_it_is_skipped_to(check_steps: Check) -> None:
    told = check_steps(
        "- delay_until: {date: today, if_past: {skip: end}}\n- stop: done\n- email: hello\n  id: end\n"
    )
    assert told == []


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("- delay_until: 25:00", "6:16 bad-time"),
        ("- delay_until: 2026-02-30", "6:16 bad-date"),
        ("- delay_until: mondy 09:00", "6:16 bad-weekday"),
        ("- delay_until: {offset: 1 day}", "6:16 missing-key"),
        ("- delay_until: {at: 09:00, offset: 1 day}", "6:28 wrong-value"),
        ("- delay_until: {at: soon}", "6:21 bad-time"),
        ("- delay_until: {date: today, offset: soon}", "6:38 bad-duration"),
        ("- delay_until: {date: today, if_past: maybe}", "6:39 wrong-value"),
        ("- delay_until: {date: today, if_past: {skip: nowhere}}", "6:39 unknown-step"),
        ("- delay_until: lead.brithday at 09:00", "6:16 unknown-attribute"),
        ("- email: hello\n- delay_until: {date: today, if_past: {skip: 'email:hello'}}", "7:39 not-later"),
        ("- wait_for: demo.booked\n  timeout: 1 day\n  until: 09:00\n  then: [{stop: x}]", "8:3 wrong-value"),
        ("- wait_for: demo.booked\n  until: 09:00", "7:3 unused-timeout"),
        ("- email: {template: hello, quiet_hours: 9-21}", "6:41 bad-hours"),
        ("- email: {template: hello, quiet_hours: 09:00-09:00}", "6:41 bad-hours"),
        ("- email: {template: hello, window: mon-fry 09:00-18:00}", "6:36 bad-weekday"),
        ("- email: {template: hello, window: []}", "6:36 wrong-value"),
        ("- email: {template: hello, expires: soon}", "6:37 bad-duration"),
        ("- email: {template: hello, on_limit: wait 2 days}", "6:38 no-limit"),
        ("- email: {template: hello, limit: 1 per day, on_limit: hope}", "6:56 wrong-value"),
        ("- email: {template: hello, window: 10:00-12:00, quiet_hours: 09:00-13:00}", "6:36 never-open"),
    ],
)
def test_what_cannot_be_is_told_where_it_stands(check_steps: Check, step: str, problem: str) -> None:
    assert check_steps(f"{step}\n") == [problem]


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ("holdout: 10", "bad-percent"),
        ("holdout: 0%", "bad-percent"),
        ("throttle: many", "bad-limit"),
        ("on_limit: wait 2 days", "no-limit"),
        ("quiet_hours: 21:00-09:00, window: 22:00-08:00", "never-open"),
    ],
)
def test_defaults_that_cannot_be_are_told(check: Check, messages: str, problem: str) -> None:
    told = check(f"{HEAD}messages: {{topic: newsletter, {messages}}}\nsteps:\n  - email: hello\n")
    assert [one.split()[1] for one in told] == [problem]


def test_a_step_has_the_journeys_hours_or_its_own(folder: Folder) -> None:
    defaults = "{topic: newsletter, quiet_hours: 21:00-09:00, window: mon-fri 09:00-18:00}"
    steps = compiled(
        folder,
        defaults,
        "- email: hello\n- email: {template: hello, quiet_hours: none, window: [sat 10:00-12:00, sun]}\n"
        "- email: {template: hello, transactional: true}\n"
        "- email: {template: hello, transactional: true, quiet_hours: 23:00-07:00}",
    )
    night = Hours(start=1260, end=540, days=EVERY_DAY)
    work = (Hours(start=540, end=1080, days=(0, 1, 2, 3, 4)),)
    weekend = (Hours(start=600, end=720, days=(5,)), Hours(start=0, end=1440, days=(6,)))
    hours = [(step.quiet_hours, step.window) for step in steps if isinstance(step, MessageStep)]
    assert hours == [(night, work), (None, weekend), (None, ()), (Hours(start=1380, end=420), ())]


def test_the_workspaces_quiet_hours_hold_where_a_journey_says_none(folder: Folder) -> None:
    text = (folder.root / "dripline.yaml").read_text(encoding="utf-8")
    folder.write("dripline.yaml", text + "quiet_hours: 22:00-08:00\n")
    [step] = compiled(folder, "{topic: newsletter}", "- email: hello")
    assert isinstance(step, MessageStep)
    assert step.quiet_hours == Hours(start=1320, end=480)
    [free] = compiled(folder, "{topic: newsletter, quiet_hours: none}", "- email: hello")
    assert isinstance(free, MessageStep)
    assert free.quiet_hours is None


def test_what_holds_for_all_messages_is_in_the_plan(folder: Folder) -> None:
    messages = (
        "{topic: newsletter, limit: 1 per day, on_limit: wait 2 days, throttle: 500 per hour, holdout: 2.5%}"
    )
    [step] = compiled(folder, messages, "- email: {template: hello, expires: 1h}")
    assert isinstance(step, MessageStep)
    assert (step.on_limit, step.expires) == (Duration(days=2), Duration(seconds=3600))
    plan = folder.load().plans["j"]
    assert (plan.throttle and plan.throttle.count, plan.holdout) == (500, 2.5)
