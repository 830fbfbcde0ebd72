"""Leads enter on their dates, each year, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from dripline.engine.yearly import days_between, moment
from dripline.ingest import anniversaries
from dripline.ingest.anniversaries import Anniversaries
from dripline.language.plan import Duration, Plan, Trigger, Yearly
from dripline.store.database import Store
from dripline.store.leads import add_lead
from dripline.store.plans import publish
from dripline.store.publications import Wish, begin
from dripline.store.schema import journeys, leads, runs
from tests.engine.plans import email, on, plan

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BIRTHDAY = Yearly(attribute="birthday", kind="date", offset=Duration(days=-7))
ZONES = ["UTC", "Asia/Yerevan", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Tokyo"]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_the_day_is_the_leads_own() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert moment(BIRTHDAY, "1990-05-17", 2026, tokyo) == at("2026-05-10T09:00", "Asia/Tokyo")
    trial = Yearly(attribute="trial", kind="datetime", at="18:30")
    assert moment(trial, "2025-05-16T20:00:00+00:00", 2026, tokyo) == at("2026-05-17T18:30", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("year", "offset", "day"),
    [
        (2026, Duration(), "2026-02-28"),
        (2028, Duration(), "2028-02-29"),
        (2026, Duration(days=-7), "2026-02-21"),
        (2028, Duration(months=-1), "2028-01-29"),
        (2026, Duration(months=12), "2027-02-28"),
    ],
)
def test_29_february_is_the_28th_in_other_years(year: int, offset: Duration, day: str) -> None:
    yearly = Yearly(attribute="birthday", kind="date", offset=offset)
    assert moment(yearly, "2000-02-29", year, ZoneInfo("UTC")) == at(f"{day}T09:00")


def test_nothing_comes_round_before_it_was_and_no_date_never_does() -> None:
    assert moment(BIRTHDAY, "2026-05-17", 2025, ZoneInfo("UTC")) is None
    assert moment(BIRTHDAY, "soon", 2026, ZoneInfo("UTC")) is None


@given(
    st.dates(datetime(1930, 1, 1).date(), datetime(2020, 1, 1).date()),
    st.integers(2024, 2032),
    st.sampled_from(ZONES),
    st.integers(-14, 14),
    st.integers(-800, 800),
    st.integers(0, 60),
)
def test_no_date_that_comes_round_is_overlooked(
    born: Any, year: int, zone: str, months: int, days: int, hours: int
) -> None:
    yearly = Yearly(attribute="birthday", kind="date", offset=Duration(months=months, days=days))
    when = moment(yearly, born.isoformat(), year, ZoneInfo(zone))
    assert when is not None
    named = days_between(yearly, when - timedelta(hours=hours), when + timedelta(hours=1))
    assert named is None or born.isoformat()[5:] in named


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def birthday(**more: Any) -> Plan:
    trigger = Trigger(on=on(when=more.pop("when", None), event_only=False), yearly=BIRTHDAY)
    return plan(email("hello"), journey="birthday", trigger=trigger, **more)


@pytest.fixture
def party(store: Store) -> Callable[..., list[tuple[str, str]]]:
    """A store with leads born on 17 May; called with a time, it looks, and says who has entered for what."""
    with store.write() as connection:
        publish(connection, birthday(), LONG_AGO)
        for name, zone in (("lead-la", "America/Los_Angeles"), ("lead-tokyo", "Asia/Tokyo")):
            add_lead(connection, name, {"timezone": zone, "attributes": {"birthday": "1990-05-17"}}, LONG_AGO)
        add_lead(connection, "lead-none", {"attributes": {"birthday": None}}, LONG_AGO)
        add_lead(connection, "lead-other", {"attributes": {"birthday": "1990-07-01"}}, LONG_AGO)
    clock = Clock(LONG_AGO)
    looking = Anniversaries(store, clock)

    def look(now: str) -> list[tuple[str, str]]:
        clock.now = at(now)
        looking.enter()
        with store.read() as connection:
            rows = connection.execute(select(runs.c.lead_id, runs.c.key).order_by(runs.c.started_at))
            return [(row.lead_id, row.key) for row in rows]

    return look


def test_each_lead_enters_at_nine_of_its_own_clock_once_a_year(
    party: Callable[..., list[tuple[str, str]]],
) -> None:
    assert party("2026-05-09T23:59") == []
    assert party("2026-05-10T00:00") == [("lead-tokyo", "2026")]
    assert party("2026-05-10T15:59") == [("lead-tokyo", "2026")]
    both = [("lead-tokyo", "2026"), ("lead-la", "2026")]
    assert party("2026-05-10T16:00") == both
    assert party("2026-05-10T17:00") == both
    assert party("2027-05-11T00:00")[2:] in (
        [("lead-la", "2027"), ("lead-tokyo", "2027")],
        [("lead-tokyo", "2027"), ("lead-la", "2027")],
    )


def test_what_an_outage_made_late_still_counts_for_two_days(
    party: Callable[..., list[tuple[str, str]]],
) -> None:
    assert len(party("2026-05-11T20:00")) == 2
    assert len(party("2027-05-14T20:00")) == 2


def test_nobody_enters_for_a_date_before_the_journey_was_there(store: Store) -> None:
    with store.write() as connection:
        publish(connection, birthday(), at("2026-05-10T12:00"))
        add_lead(
            connection, "lead-1", {"timezone": "UTC", "attributes": {"birthday": "1990-05-17"}}, LONG_AGO
        )
    assert Anniversaries(store, Clock(at("2026-05-10T13:00"))).enter() == 0


def test_a_condition_and_a_pause_keep_leads_out(store: Store) -> None:
    with store.write() as connection:
        publish(connection, birthday(when="lead.consent.email"), LONG_AGO)
        add_lead(
            connection, "lead-1", {"timezone": "UTC", "attributes": {"birthday": "1990-05-17"}}, LONG_AGO
        )
    looking = Anniversaries(store, Clock(at("2026-05-10T09:00")))
    assert looking.enter() == 0
    with store.write() as connection:
        connection.execute(update(leads).values(consent={"email": True}))
        connection.execute(update(journeys).values(paused_at=LONG_AGO))
    assert looking.enter() == 0
    with store.write() as connection:
        connection.execute(update(journeys).values(paused_at=None))
    assert looking.enter() == 1


@pytest.mark.parametrize("what", ["publish", "retire"])
def test_nobody_enters_by_a_plan_that_the_journey_follows_no_more(store: Store, what: str) -> None:
    seen = birthday()
    new = seen if what == "retire" else birthday(title="New")
    with store.write() as connection:
        publish(connection, seen, LONG_AGO)
        add_lead(
            connection, "lead-1", {"timezone": "UTC", "attributes": {"birthday": "1990-05-17"}}, LONG_AGO
        )
        begin(connection, Wish(new, seen.hash, what=what), LONG_AGO, LONG_AGO)
    looking = Anniversaries(store, Clock(at("2026-05-10T09:00")))
    assert looking.enter_by(seen, BIRTHDAY) == 0  # it was read before the publication came
    assert looking.enter() == (what == "publish")


def test_more_leads_than_a_batch_all_enter(store: Store) -> None:
    count = anniversaries.BATCH * 2 + 10
    with store.write() as connection:
        publish(connection, birthday(), LONG_AGO)
        for number in range(count):
            values = {"timezone": "UTC", "attributes": {"birthday": "1990-05-17"}}
            add_lead(connection, f"lead-{number:04}", values, LONG_AGO)
    looking = Anniversaries(store, Clock(at("2026-05-10T09:00")), budget=0)
    assert [looking.enter() for _ in range(4)] == [anniversaries.BATCH, anniversaries.BATCH, 10, 0]
