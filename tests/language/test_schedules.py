"""Schedules in plain words and in cron, and the audiences that they let in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dripline.engine.scheduling import come_round, comes_to
from dripline.language.labels import say_schedule, say_trigger
from dripline.language.plan import Gathering, Schedule
from dripline.language.schedules import parse_schedule
from tests.engine.plans import email, plan
from tests.language.conftest import Folder

YEREVAN = ZoneInfo("Asia/Yerevan")
ANGELES = ZoneInfo("America/Los_Angeles")
MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def days(said: str, number: int, where: ZoneInfo = YEREVAN, after: datetime = MONDAY) -> list[str]:
    schedule, found = parse_schedule(said), []
    for _ in range(number):
        coming = come_round(schedule, after, where)
        if coming is None:
            break
        after, name = coming
        found.append(name)
    return found


@pytest.mark.parametrize(
    ("said", "moments"),
    [
        ("every day", ["2026-03-03T09:00", "2026-03-04T09:00"]),
        ("Every day at 18:30", ["2026-03-02T18:30", "2026-03-03T18:30"]),
        ("daily at 7:05", ["2026-03-03T07:05", "2026-03-04T07:05"]),
        ("every 3 days at 12:00", ["2026-03-03T12:00", "2026-03-06T12:00"]),
        ("every monday at 09:00", ["2026-03-09T09:00", "2026-03-16T09:00"]),
        ("every tue and fri at 10:00", ["2026-03-03T10:00", "2026-03-06T10:00"]),
        ("every weekday at 10:00", ["2026-03-03T10:00", "2026-03-04T10:00"]),
        ("every weekend", ["2026-03-07T09:00", "2026-03-08T09:00"]),
        ("every 2 weeks on thursday at 11:00", ["2026-03-12T11:00", "2026-03-26T11:00"]),
        ("every 2 weeks", ["2026-03-09T09:00", "2026-03-23T09:00"]),
        ("every month on the 15th at 09:30", ["2026-03-15T09:30", "2026-04-15T09:30"]),
        ("every month on the last day", ["2026-03-31T09:00", "2026-04-30T09:00"]),
        ("every 3 months", ["2026-04-01T09:00", "2026-07-01T09:00"]),
        ("every 6 hours", ["2026-03-02T18:00", "2026-03-03T00:00"]),
        ("0 9 * * 1", ["2026-03-09T09:00", "2026-03-16T09:00"]),
        ("*/30 9 1 * *", ["2026-04-01T09:00", "2026-04-01T09:30"]),
        ("once 2026-12-24 10:00", ["2026-12-24T10:00"]),
        ("once on 2026-12-24", ["2026-12-24T09:00"]),
        ("once 2026-01-01", []),
    ],
)
def test_a_schedule_comes_round(said: str, moments: list[str]) -> None:
    assert days(said, 2) == moments


def test_a_schedule_keeps_to_the_wall_clock_when_the_clocks_change() -> None:
    """In Los Angeles 02:30 of 8 March 2026 does not exist; 01:30 of 1 November comes twice."""
    spring = come_round(parse_schedule("every day at 02:30"), datetime(2026, 3, 8, 8, tzinfo=UTC), ANGELES)
    assert spring == (datetime(2026, 3, 8, 10, 0, tzinfo=UTC), "2026-03-08T02:30")
    autumn = parse_schedule("every day at 01:30")
    first = come_round(autumn, datetime(2026, 11, 1, 7, tzinfo=UTC), ANGELES)
    assert first == (datetime(2026, 11, 1, 8, 30, tzinfo=UTC), "2026-11-01T01:30")
    assert come_round(autumn, first[0], ANGELES) == (
        datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        "2026-11-02T01:30",
    )


def test_in_lead_is_by_the_leads_own_clock() -> None:
    gathering = Gathering(audience="lead.vip", schedule=parse_schedule("every day at 09:00"), own_zone=True)
    lead = {"timezone": "America/Los_Angeles"}
    assert comes_to(gathering, plan(email("hello")), lead, MONDAY) == (
        datetime(2026, 3, 2, 17, 0, tzinfo=UTC),
        "2026-03-02T09:00",
    )


@pytest.mark.parametrize(
    ("trigger", "problems"),
    [
        ("{audience: lead.vip, schedule: every monday at 09:00}", []),
        ("{audience: lead.vip, schedule: every monday, in: lead, pace: 500 per hour, reentry: always}", []),
        ('{audience: "lead.plan == \'free\'", schedule: "0 9 * * 1"}', []),
        ("{audience: lead.vip}", ["2:11 missing-key"]),
        ("{schedule: every monday}", ["2:11 missing-key"]),
        ("{audience: lead.vip, schedule: every day, when: lead.vip}", ["2:52 unknown-key"]),
        ("{event: demo.booked, in: lead}", ["2:31 unknown-key"]),
        ("{audience: lead.vip, schedule: every day, event: demo.booked}", ["2:11 wrong-value"]),
        ("{audience: lost-90-days, schedule: every day}", ["2:21 unknown-segment"]),
        ("{audience: lead.vipp, schedule: every day}", ["2:21 unknown-attribute"]),
        ("{audience: event.total > 1, schedule: every day}", ["2:21 unknown-name"]),
        ("{audience: not today, schedule: every day}", ["2:21 wrong-value"]),
        ("{audience: lead.vip, schedule: evry day}", ["2:41 bad-schedule"]),
        ("{audience: lead.vip, schedule: every mondy}", ["2:41 bad-weekday"]),
        ("{audience: lead.vip, schedule: every 7 hours}", ["2:41 bad-schedule"]),
        ("{audience: lead.vip, schedule: every month on the 32nd}", ["2:41 bad-schedule"]),
        ("{audience: lead.vip, schedule: once 2026-02-30}", ["2:41 bad-schedule"]),
        ('{audience: lead.vip, schedule: "61 9 * * 1"}', ["2:42 bad-schedule"]),
        ('{audience: lead.vip, schedule: "*/5 * * * *"}', ["2:42 bad-schedule"]),
        ('{audience: lead.vip, schedule: "0 9 30 2 *"}', ["2:42 bad-schedule"]),
        ("{audience: lead.vip, schedule: every day, in: leed}", ["2:56 wrong-value"]),
    ],
)
def test_what_is_wrong_with_an_audience_is_told(
    check: Callable[[str], list[str]], trigger: str, problems: list[str]
) -> None:
    assert check(f"journey: j\ntrigger: {trigger}\nsteps: [{{stop: x}}]\n") == problems


def test_an_audience_is_compiled_and_said(folder: Folder) -> None:
    trigger = "{audience: lead.vip, schedule: every 2 weeks on monday at 08:00, in: lead, pace: 480 per day}"
    folder.write("journeys/j.yaml", f"journey: j\ntrigger: {trigger}\nsteps: [{{stop: x}}]\n")
    found = folder.load().plans["j"].trigger
    schedule = Schedule(
        said="every 2 weeks on monday at 08:00", unit="week", number=2, weekdays=(0,), at=8 * 60
    )
    assert found.gathering == Gathering(audience="lead.vip", schedule=schedule, own_zone=True, per_hour=20)
    assert say_trigger(found) == "every 2 weeks on Monday at 08:00, by the lead's own clock if lead.vip"
    assert say_schedule(parse_schedule("every month on the last day")) == (
        "every month on the last day at 09:00"
    )
