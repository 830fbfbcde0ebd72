"""A whole journey over every clock change of a year, in zones of every kind, against a reckoning minute by minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dripline.engine.calendar import zone
from dripline.language.plan import DelayStep, DelayUntilStep, Duration, Hours, Moment, Step
from dripline.simulate.life import Life
from tests.engine.plans import email, plan
from tests.engine.test_hours import ZONES
from tests.simulate.test_life import ANI

MINUTE = timedelta(minutes=1)
NIGHT = Hours(start=21 * 60, end=9 * 60)
CHANGING = [
    name for name in ZONES if name not in ("Asia/Tokyo", "Asia/Yerevan", "Europe/Volgograd", "Pacific/Apia")
]


def changes(where: ZoneInfo, year: int) -> Iterator[datetime]:
    """The first minutes (UTC) of a new offset."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    while at.year == year:
        after = at + timedelta(hours=1)
        if at.astimezone(where).utcoffset() != after.astimezone(where).utcoffset():
            moment = at
            while moment.astimezone(where).utcoffset() == at.astimezone(where).utcoffset():
                moment += MINUTE
            yield moment
        at = after


def first(after: datetime, where: ZoneInfo, wanted: Callable[[datetime], bool]) -> datetime:
    """The first minute after that one at which the local time is wanted, or at which the clocks leap over one."""
    before = after
    while True:
        moment = before + MINUTE
        shown, was = (one.astimezone(where).replace(tzinfo=None) for one in (moment, before))
        leapt = was + MINUTE
        while leapt <= shown:
            if wanted(leapt):
                return moment
            leapt += MINUTE
        before = moment


def sent(step: Step, begin: datetime, where: ZoneInfo) -> datetime:
    """When the message behind (or of) that step goes."""
    steps = (step,) if step.id == "email:a" else (step, email("a"))
    life = Life([plan(*steps)], {**ANI, "timezone": where.key}, begin)
    life.happens("lead.created", {}, begin)
    life.live(begin + timedelta(days=9))
    [at] = [entry.at for entry in life.timeline if entry.what == "queued"]
    return at


def clock(minutes: int) -> Callable[[datetime], bool]:
    """Whether the clocks show so many minutes after midnight."""
    return lambda local: local.hour * 60 + local.minute == minutes


@pytest.mark.parametrize("name", CHANGING)
def test_a_journey_keeps_the_leads_clock_over_every_change(name: str) -> None:
    where = zone(name)
    found = list(changes(where, 2026))
    assert len(found) >= 2  # in Casablanca three
    for change in found:
        _lives_through(change, where)


def _lives_through(change: datetime, where: ZoneInfo) -> None:
    begin = change - timedelta(hours=14)
    tomorrow = begin.astimezone(where).replace(tzinfo=None) + timedelta(days=1)
    a_day = DelayStep(id="a day", duration=Duration(days=1), next="email:a")
    assert sent(a_day, begin, where) == first(begin, where, lambda local: local == tomorrow), change

    hours = DelayStep(id="hours", duration=Duration(seconds=86_400), next="email:a")
    assert sent(hours, begin, where) == begin + timedelta(hours=24), change

    for at in range(0, 1440, 30):
        until = DelayUntilStep(id="until", moment=Moment(at=at), next="email:a")
        assert sent(until, begin, where) == first(begin, where, clock(at)), (change, at)

    monday = DelayUntilStep(id="monday", moment=Moment(at=540, weekdays=(0,)), next="email:a")
    nine = clock(540)
    assert sent(monday, begin, where) == first(
        begin, where, lambda local: local.weekday() == 0 and nine(local)
    ), change

    evening = first(begin, where, clock(21 * 60))
    night = email("a", quiet_hours=NIGHT)
    assert sent(night, evening, where) == first(evening, where, nine), change
