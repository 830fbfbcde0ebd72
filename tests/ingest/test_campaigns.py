"""Campaigns: an audience is gathered and let in, once each, at its pace, and nobody else is held up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from dripline.clock import HouseClock
from dripline.ingest.campaigns.moving import AT_ONCE, BESIDE_EVENTS, CALM, Mover
from dripline.ingest.campaigns.occasions import Occasions
from dripline.ingest.campaigns.starting import (
    Wanted,
    cancel_campaign,
    count_audience,
    pause_campaign,
    resume_campaign,
    start_campaign,
)
from dripline.ingest.following import Times
from dripline.ingest.merging.merge import merge
from dripline.ingest.refusal import Refused
from dripline.language.plan import Gathering, Plan, Trigger
from dripline.language.schedules import parse_schedule
from dripline.language.workspace import Workspace
from dripline.store import schema
from dripline.store.braking import pause_journey, resume_journey, stop_everything
from dripline.store.campaigns import count_leads, count_reasons, list_campaigns, load_campaign
from dripline.store.database import Store
from dripline.store.events import Event, keep
from dripline.store.house import open_house, set_clock
from dripline.store.leads import read_lead
from dripline.store.plans import publish
from dripline.store.wakes import Wake
from dripline.story import tell
from tests.durable.house import Thread
from tests.engine.plans import email, on, plan

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "attributes": {"vip": "boolean"},
        "segments": {"vips": "lead.vip"},
    }
)
BY_HAND = plan(email("hello"), trigger=Trigger(on=on()))
SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
AT_NINE = parse_schedule("every day at 09:00")


def by_calendar(**more: Any) -> Plan:
    reentry = more.pop("reentry", "never")
    gathering = Gathering(**{"audience": "lead.vip", "schedule": AT_NINE, **more})
    return plan(email("hello"), trigger=Trigger(on=on(), gathering=gathering, reentry=reentry))


class Town:
    """A store with leads in it, and a clock that only goes when it is told to. Runs take their first turn at once."""

    def __init__(self, store: Store, journey: Plan = BY_HAND, vips: int = 10, others: int = 3) -> None:
        self.store = store
        self.now = START
        self.turns = True
        self.most = 0
        self.mover = Mover(store, WORKSPACE, lambda: self.now, self.started, sleep=lambda seconds: None)
        self.mover.budget = 30.0
        self.occasions = Occasions(store, lambda: self.now)
        with store.write() as connection:
            open_house(connection)
            set_clock(connection, HouseClock())
            publish(connection, journey, START)
            rows = [self.lead(number, vip=number < vips) for number in range(vips + others)]
            connection.execute(insert(schema.leads), rows)

    def lead(self, number: int, **attributes: Any) -> dict[str, Any]:
        zone = ("Asia/Yerevan", "America/Los_Angeles")[number % 2]
        there = {"consent": {"email": True}, "topics": {}, "created_at": START, "updated_at": START}
        return {"id": f"lead-{number:05}", "timezone": zone, "attributes": attributes, **there}

    def started(self, runs: Sequence[Wake]) -> None:
        self.most = max(self.most, len(runs))
        if self.turns:
            ids = [one.run for one in runs]
            with self.store.write() as connection:
                table = schema.runs
                connection.execute(update(table).where(table.c.id.in_(ids)).values(turn=1))

    def campaign(self, **more: Any) -> str:
        with self.store.write() as connection:
            wanted = Wanted(**{"journey": "welcome", "audience": "lead.vip", **more})
            return start_campaign(connection, WORKSPACE, wanted, self.now, "nare")

    def move(self, campaign: str, times: int = 200) -> Any:
        """Move it until it is over, stands still, or rests."""
        for _ in range(times):
            moved = self.mover.move(campaign)
            if moved.over or moved.rest >= 1.0:
                break
        return self.row(campaign)

    def row(self, campaign: str) -> Any:
        with self.store.read() as connection:
            return load_campaign(connection, campaign)

    def counts(self, campaign: str) -> tuple[int, int, int, int]:
        with self.store.read() as connection:
            found = count_leads(connection, [campaign])[campaign]
        return found.waiting, found.entered, found.held_out, found.refused

    def entered(self) -> Counter[str]:
        with self.store.read() as connection:
            return Counter(connection.execute(select(schema.runs.c.lead_id)).scalars())


def test_an_audience_enters_once_each_and_nobody_else(store: Store) -> None:
    town = Town(store, vips=25)
    with store.read() as connection:
        assert count_audience(connection, WORKSPACE, Wanted("welcome", "vips")) == 25
    campaign = town.campaign(audience="vips")
    row = town.move(campaign)
    assert (row.state, town.counts(campaign)) == ("finished", (0, 25, 0, 0))
    assert town.entered() == Counter({f"lead-{number:05}": 1 for number in range(25)})
    assert town.most <= AT_ONCE
    again = town.campaign(audience="vips")
    town.move(again)
    with store.read() as connection:
        assert count_reasons(connection, again) == {"is in the journey already": 25}
    assert sum(town.entered().values()) == 25
    with store.read() as connection:
        lead = read_lead(connection, "lead-00001")
        assert lead is not None
        texts = [entry.text for entry in tell(connection, lead, HouseClock(), UTC).entries]
    assert texts[0] == "is let into welcome by the campaign “welcome 2026-03-02 08:00”"
    assert texts[1].endswith("”: it is in the journey already")


def test_two_who_move_one_campaign_at_once_let_nobody_in_twice(store: Store) -> None:
    """As when an activity has outlived its time limit, and another took over."""
    town = Town(store, vips=60)
    campaign = town.campaign()
    threads = [Thread(f"mover-{number}", lambda: town.move(campaign)) for number in range(3)]
    for thread in threads:
        thread.done()
    assert town.move(campaign).state == "finished"
    assert town.counts(campaign) == (0, 60, 0, 0)
    assert set(town.entered().values()) == {1}


def test_a_lead_that_is_merged_meanwhile_enters_once(store: Store) -> None:
    town = Town(store, vips=2)
    campaign = town.campaign(per_hour=1)
    town.move(campaign)
    assert town.counts(campaign) == (1, 1, 0, 0)
    with store.write() as connection:
        merge(connection, "lead-00000", "lead-00001", "command", Times(town.now, town.now))
    town.now += timedelta(hours=2)
    assert town.move(campaign).state == "finished"
    assert town.counts(campaign) == (0, 1, 0, 1)


@SQLITE
def test_a_lead_that_is_merged_enters_once_though_the_journey_may_be_entered_again(store: Store) -> None:
    town = Town(store, plan(email("hello"), trigger=Trigger(on=on(), reentry="always")), vips=2)
    campaign = town.campaign(per_hour=1)
    town.move(campaign)
    with store.write() as connection:
        connection.execute(update(schema.runs).values(ended_at=town.now, outcome="finished"))
        merge(connection, "lead-00000", "lead-00001", "command", Times(town.now, town.now))
    town.now += timedelta(hours=2)
    assert town.move(campaign).state == "finished"
    assert town.counts(campaign) == (0, 1, 0, 1)


@SQLITE
def test_a_pace_lets_in_so_many_an_hour_and_makes_up_for_nothing(store: Store) -> None:
    town = Town(store, vips=30)
    campaign = town.campaign(per_hour=6)
    entered = []
    for _ in range(4):
        town.move(campaign)
        entered.append(town.counts(campaign)[1])
        town.now += timedelta(minutes=10)
    assert entered == [1, 2, 3, 4]
    town.now += timedelta(hours=5)  # as after an outage
    town.move(campaign)
    assert town.counts(campaign)[1] == 5


@SQLITE
def test_a_test_group_goes_first_and_the_others_when_a_person_says_so(store: Store) -> None:
    town = Town(store, vips=20)
    campaign = town.campaign(test=7)
    assert town.move(campaign).state == "tested"
    assert town.counts(campaign) == (13, 7, 0, 0)
    assert set(town.entered()) != {f"lead-{number:05}" for number in range(7)}, "they are drawn"
    assert town.move(campaign).state == "tested"
    with store.write() as connection:
        resume_campaign(connection, campaign, town.now, "nare")
    assert town.move(campaign).state == "finished"
    assert town.counts(campaign) == (0, 20, 0, 0)


@SQLITE
def test_held_out_leads_go_the_same_way_and_get_nothing(store: Store) -> None:
    town = Town(store, vips=80, others=0)
    campaign = town.campaign(holdout=40)
    town.move(campaign)
    _, entered, held_out, _ = town.counts(campaign)
    assert entered + held_out == 80
    assert 20 <= held_out <= 45
    with store.read() as connection:
        control = connection.execute(select(schema.runs.c.id).where(schema.runs.c.holdout)).all()
    assert len(control) == held_out


@SQLITE
def test_paused_it_stands_still_and_cancelled_it_is_over(store: Store) -> None:
    town = Town(store)
    campaign = town.campaign(per_hour=1)
    town.move(campaign)
    with store.write() as connection:
        pause_campaign(connection, campaign, town.now, "nare", "a misprint")
    town.now += timedelta(hours=3)
    assert town.mover.move(campaign).over
    assert (town.counts(campaign)[1], town.row(campaign).pause_reason) == (1, "a misprint")
    with store.write() as connection:
        resume_campaign(connection, campaign, town.now, "nare")
    town.now += timedelta(hours=1)
    town.move(campaign)
    assert town.counts(campaign)[1] == 2
    with store.write() as connection:
        cancel_campaign(connection, campaign, town.now, "nare", None)
    assert town.mover.move(campaign).over
    with store.write() as connection, pytest.raises(Refused, match="campaign-over"):
        resume_campaign(connection, campaign, town.now, "nare")


class BetweenTwo(Store):
    """Lets somebody else act after the first lead of the first batch was let in."""

    act: Callable[[], None] | None = None
    writes = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.act is not None:
            self.writes += 1
            if self.writes == 3:  # its audience and the first lead have been written
                act, self.act = self.act, None
                act()
        with super().write() as connection:
            yield connection


@SQLITE
@pytest.mark.parametrize("what", ["campaign", "journey"])
def test_paused_between_two_leads_of_a_batch_it_lets_nobody_else_in(
    store: Store, store_url: str, what: str
) -> None:
    town = Town(store)
    campaign = town.campaign()
    slow = BetweenTwo(store_url)

    def pause() -> None:
        with store.write() as connection:
            if what == "campaign":
                pause_campaign(connection, campaign, town.now, "nare", "a misprint")
            else:
                pause_journey(connection, "welcome", town.now, "nare", None, freezes=False)

    slow.act = pause
    town.mover.store = slow
    town.mover.move(campaign)
    slow.close()
    assert slow.act is None
    assert (town.counts(campaign)[:2], len(town.entered())) == ((9, 1), 1)


@SQLITE
def test_nobody_is_let_in_while_the_journey_is_paused_or_the_brake_is_pulled(store: Store) -> None:
    town = Town(store)
    campaign = town.campaign()
    with store.write() as connection:
        pause_journey(connection, "welcome", town.now, "nare", None, freezes=False)
    assert town.mover.move(campaign).rest >= 10
    with store.write() as connection:
        resume_journey(connection, "welcome", town.now, "nare", None)
        stop_everything(connection, town.now, "nare", None)
    assert town.mover.move(campaign).rest >= 10
    assert not town.entered()


@SQLITE
def test_runs_that_do_not_move_are_waited_for(store: Store) -> None:
    """With Temporal away, runs would pile up, and all go off at once."""
    town = Town(store)
    town.turns = False
    town.mover.budget = 0.1
    campaign = town.campaign()
    for _ in range(5):
        assert not town.mover.move(campaign).over
    assert town.counts(campaign)[1] == AT_ONCE


@SQLITE
def test_while_events_come_in_one_lead_goes_at_a_time(store: Store) -> None:
    town = Town(store, vips=20)
    town.turns = False
    town.mover.budget = 0.1
    campaign = town.campaign()
    visit = Event("visit-1", "lead-00019", "visit", {}, town.now)
    with store.write() as connection:
        keep(connection, visit)
    for _ in range(3):
        assert not town.mover.move(campaign).over
    assert town.counts(campaign)[1] == BESIDE_EVENTS
    town.now += timedelta(seconds=CALM + 0.1)
    assert not town.mover.move(campaign).over
    assert town.counts(campaign)[1] == AT_ONCE
    caused = Event("caused-1", "lead-00018", "visit", {}, town.now, depth=1)
    with store.write() as connection:
        keep(connection, caused)
        connection.execute(update(schema.runs).values(turn=1))
    assert not town.mover.move(campaign).over
    assert town.counts(campaign)[1] == 2 * AT_ONCE, "what runs cause is no traffic"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"audience": "lead.vipp"}, "audience"),
        ({"audience": "nobody"}, "audience"),
        ({"per_hour": 0}, "per_hour"),
        ({"test": -1}, "test"),
        ({"holdout": 100}, "holdout"),
    ],
)
@SQLITE
def test_what_cannot_be_is_refused(store: Store, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        Town(store).campaign(**more)
    assert [error.field for error in refused.value.errors] == [field]


# -- by the calendar -----------------------------------------------------------------------------------------


@SQLITE
def test_a_schedule_starts_one_campaign_an_occasion(store: Store) -> None:
    town = Town(store, by_calendar(reentry="always"))
    assert town.occasions.start_due() == 0, "it is eight o'clock"
    town.now = START + timedelta(hours=1, seconds=5)
    assert (town.occasions.start_due(), town.occasions.start_due()) == (1, 0)
    with store.read() as connection:
        [campaign] = list_campaigns(connection)
    assert (campaign.name, campaign.occasion) == ("welcome 2026-03-02 09:00", "2026-03-02T09:00")
    assert town.move(campaign.id).state == "finished"
    assert sum(town.entered().values()) == 10
    town.now += timedelta(days=2)
    assert town.occasions.start_due() == 1, "of two that were missed, the last counts"
    town.now += timedelta(days=20)
    assert town.occasions.start_due() == 1
    with store.read() as connection:
        names = [row.occasion for row in list_campaigns(connection)]
    assert names == ["2026-03-24T09:00", "2026-03-04T09:00", "2026-03-02T09:00"]


def test_in_lead_each_enters_when_its_own_clock_says_so(store: Store) -> None:
    town = Town(store, by_calendar(own_zone=True), vips=6, others=0)
    moments = []
    for _ in range(40):
        town.occasions.start_due()
        with store.read() as connection:
            running = [row.id for row in list_campaigns(connection) if row.state == "running"]
        for campaign in running:
            town.move(campaign)
        moments.append((town.now, len(town.entered())))
        town.now += timedelta(hours=1)
    enters = [at for (_, before), (at, after) in pairwise(moments) if after > before]
    assert enters == [START + timedelta(hours=9), START + timedelta(hours=21)]  # 17:00 and 05:00 UTC
    assert set(town.entered().values()) == {1}


@SQLITE
def test_what_comes_round_just_after_it_was_published_counts(store: Store) -> None:
    """Nobody may have looked in between: the sweep comes every few minutes."""
    town = Town(store, by_calendar())
    town.now = START + timedelta(hours=1, minutes=4)
    assert town.occasions.start_due() == 1


@SQLITE
def test_another_schedule_begins_anew(store: Store) -> None:
    town = Town(store, by_calendar())
    town.occasions.start_due()
    with store.write() as connection:
        hourly = by_calendar(schedule=parse_schedule("every hour"))
        publish(connection, hourly, town.now + timedelta(minutes=50))
    town.now += timedelta(minutes=55)
    assert town.occasions.start_due() == 0
    town.now += timedelta(minutes=6)
    assert town.occasions.start_due() == 1
