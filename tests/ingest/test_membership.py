"""Segments are kept current: by what leads do at once, by the clock in sweeps; each change is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from dripline.clock import HouseClock
from dripline.engine.rfm import Purchases
from dripline.ingest.membership.keeping import SegmentKeeper
from dripline.ingest.membership.ranking import purchases
from dripline.ingest.merging.merge import Times, merge
from dripline.ingest.merging.unmerge import unmerge
from dripline.ingest.recording import record
from dripline.language.membership import RfmRule
from dripline.language.orders import Item, Ordered
from dripline.language.rules import Rules, compile_rules
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house, set_clock
from dripline.store.leads import change_lead, lock_survivor
from dripline.store.orders import keep_order, refund_order
from dripline.store.rules import keep_rules
from dripline.store.schema import events, leads, runs, segment_members
from dripline.store.segments import count_members, load_states
from tests.ingest.journeys import MONDAY, a_lead, a_plan, published

DAY = timedelta(days=1)


def rules(**segments: Any) -> Rules:
    return compile_rules(
        Workspace.model_validate(
            {
                "timezone": "UTC",
                "locales": ["en"],
                "currency": "AMD",
                "orders": "order.paid",
                "events": {"order.paid": {"order_id": "text", "total": "number", "items": "list"}},
                "segments": {name.replace("_", "-"): said for name, said in segments.items()},
            }
        )
    )


@dataclass
class House:
    """A store whose clock a test sets, and what it was told of segments."""

    store: Store
    now: datetime = MONDAY

    def __post_init__(self) -> None:
        with self.store.write() as connection:
            open_house(connection)
            set_clock(connection, HouseClock(MONDAY, MONDAY, 1.0))

    def says(self, **segments: Any) -> None:
        with self.store.write() as connection:
            keep_rules(connection, rules(**segments), self.now)

    def happens(
        self, event_id: str, lead: str, name: str, *, historical: bool = False, **properties: Any
    ) -> None:
        with self.store.write() as connection:
            event = Event(event_id, lead, name, properties, self.now, historical=historical)
            record(connection, event, self.now)

    def buys(self, lead: str, order: str, total: int = 10, *, historical: bool = False) -> None:
        self.happens(f"e-{order}", lead, "order.paid", historical=historical, order_id=order, total=total)

    def sweeps(self, days: float = 0, budget: float = 60) -> int:
        self.now += days * DAY
        return SegmentKeeper(self.store, lambda: self.now, budget).keep()

    def told(self) -> list[str]:
        query = select(events).where(events.c.name.startswith("segment.")).order_by(events.c.seq)
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        return [
            f"{row.lead_id} {row.name.removeprefix('segment.')} {row.properties['segment']}" for row in rows
        ]

    def lists(self, lead: str = "ani") -> list[str]:
        """The segments of a lead, which its row and its memberships agree on."""
        with self.store.read() as connection:
            row = connection.execute(select(leads).where(leads.c.id == lead)).one()
            query = select(segment_members.c.segment).where(segment_members.c.lead_id == lead)
            assert sorted(connection.execute(query).scalars()) == (row.segments or [])
        return list(row.segments or [])


@pytest.fixture
def house(store: Store) -> House:
    made = House(store)
    with store.write() as connection:
        for name in ("ani", "babken", "davit"):
            a_lead(connection, name)
    made.says()
    return made


BUYERS = {"bought": {"times": "at least 2"}}
SILENT = {"bought": {}, "not_bought": {"within": "90 days"}}


def test_the_second_order_lets_a_lead_in_at_once_and_a_journey_begins(house: House) -> None:
    house.says(buyers=BUYERS)
    house.sweeps()
    with house.store.write() as connection:
        published(connection, a_plan(on="segment.entered"))
    house.buys("ani", "o1")
    assert (house.lists(), house.told()) == ([], [])
    house.buys("ani", "o2")
    assert (house.lists(), house.told()) == (["buyers"], ["ani entered buyers"])
    house.buys("ani", "o3")
    assert house.told() == ["ani entered buyers"]
    with house.store.read() as connection:
        assert connection.execute(select(runs.c.lead_id)).scalars().all() == ["ani"]


def test_history_lets_leads_in_and_tells_nobody(house: House) -> None:
    house.says(buyers=BUYERS)
    house.sweeps()
    with house.store.write() as connection:
        published(connection, a_plan(on="segment.entered"))
    for order in ("o1", "o2"):
        house.buys("ani", order, historical=True)
    assert (house.lists(), house.told()) == (["buyers"], [])
    house.sweeps(days=2)
    house.buys("ani", "o3")
    assert house.told() == [], "it was in before"
    with house.store.read() as connection:
        assert connection.execute(select(runs.c.lead_id)).all() == []


def test_who_was_in_before_the_segment_was_made_is_in_it_untold(house: House) -> None:
    for number in range(2):
        house.buys("ani", f"o{number}")
    house.says(buyers=BUYERS, everybody="lead.score == 0")
    house.buys("babken", "o8")
    house.buys("babken", "o9")  # while nobody has looked at everybody yet
    house.sweeps()
    assert house.told() == []
    assert [house.lists(name) for name in ("ani", "babken", "davit")] == [
        ["buyers", "everybody"],
        ["buyers", "everybody"],
        ["everybody"],
    ]


def test_time_alone_lets_leads_in_and_out_and_it_is_told_once(house: House) -> None:
    house.says(silent=SILENT)
    house.buys("ani", "o1")
    house.sweeps()
    house.sweeps(days=89)
    assert house.told() == []
    house.sweeps(days=2)
    house.sweeps(days=1)
    assert (house.told(), house.lists()) == (["ani entered silent"], ["silent"])
    house.buys("ani", "o2")
    assert house.told() == ["ani entered silent", "ani left silent"]


def test_nothing_is_looked_at_before_it_is_time(house: House) -> None:
    house.says(silent=SILENT)
    house.buys("ani", "o1")
    house.sweeps()
    house.now += 100 * DAY
    assert house.sweeps() == 1
    with house.store.read() as connection:
        before = load_states(connection)
    assert house.sweeps(days=1 / 48) == 0
    with house.store.read() as connection:
        assert load_states(connection) == before


def test_another_rule_tells_nobody_and_a_segment_that_is_gone_has_nobody(house: House) -> None:
    house.says(buyers=BUYERS, lost="lead.stage == 'lost'")
    house.sweeps()
    house.buys("ani", "o1")
    house.says(buyers={"bought": {}})
    house.sweeps()
    assert (house.lists(), house.told()) == (["buyers"], [])
    house.says()
    house.sweeps()
    house.sweeps(days=2)
    with house.store.read() as connection:
        assert count_members(connection) == {}


def test_a_look_that_had_to_stop_goes_on_where_it_was(house: House) -> None:
    said = {"consent": {}, "topics": {}, "attributes": {}, "created_at": MONDAY, "updated_at": MONDAY}
    with house.store.write() as connection:
        connection.execute(insert(leads), [{**said, "id": f"lead-{number:04}"} for number in range(1_100)])
    house.says(everybody="lead.score == 0")
    assert [house.sweeps(budget=0) for _ in range(4)] == [500, 500, 103, 0]
    assert house.told() == []
    with house.store.read() as connection:
        assert count_members(connection) == {"everybody": 1_103}
        assert load_states(connection)["everybody"].computed_at is not None


def test_leads_are_ranked_once_a_day_and_segments_go_by_it(house: House) -> None:
    house.says(best="lead.rfm.f >= 5 and lead.rfm.last > today - days(9)")
    house.sweeps()
    with house.store.write() as connection:
        for number in range(5):
            name = a_lead(connection, f"lead-{number}")
            for order in range(number + 1):
                said = Ordered(f"o{number}-{order}", 100_000, "AMD", (Item("tea"),))
                keep_order(connection, name, said, MONDAY - order * DAY, None)
    assert house.sweeps(days=1) == 5
    with house.store.read() as connection:
        row = connection.execute(select(leads.c.rfm).where(leads.c.id == "lead-4")).scalar_one()
    assert row == {
        "r": 1, "f": 5, "m": 5, "cell": "155", "orders": 5, "spent": 5_000, "last": "2026-01-05"
    }  # fmt: skip
    assert house.told() == ["lead-4 entered best"]
    house.sweeps()
    house.sweeps(days=9)
    assert house.told() == ["lead-4 entered best", "lead-4 left best"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_ranked_is_what_was_bought_by_now_and_kept_in_the_workspaces_money_and_days(house: House) -> None:
    late = MONDAY.replace(hour=23)
    with house.store.write() as connection:
        for reference, total, currency, at in (
            ("kept", 100, "AMD", late),
            ("back", 100, "AMD", late + DAY),
            ("dollars", 700, "USD", late - DAY),
            ("future", 100, "AMD", late + 9 * DAY),
        ):
            said = Ordered(reference, total, currency, ())
            order = keep_order(connection, "ani", said, at, None)
            assert order is not None
            if reference == "back":
                refund_order(connection, order, total, at)
        found = purchases(connection, RfmRule(), "Asia/Yerevan", "AMD", late + 3 * DAY)
    assert found == [Purchases("ani", (MONDAY + DAY).date(), 2, 100)]


def test_what_both_were_in_the_one_lead_is_in_and_taken_back_each_is_again(house: House) -> None:
    house.says(buyers=BUYERS, lost="lead.stage == 'lost'")
    house.sweeps()
    for number in range(2):
        house.buys("babken", f"o{number}")
    with house.store.write() as connection:
        change_lead(connection, "davit", {"stage": "lost"}, MONDAY)
    house.happens("e", "davit", "lead.updated", changed=["stage"])
    times = Times(house.now, house.now)
    with house.store.write() as connection:
        one = merge(connection, "babken", "davit", "api", times, into="babken")
    assert house.lists("babken") == ["buyers", "lost"]
    assert house.lists("davit") == []
    assert house.told() == ["babken entered buyers", "babken entered lost"]
    with house.store.write() as connection:
        unmerge(connection, one.id, times)
    assert (house.lists("babken"), house.lists("davit")) == (["buyers"], ["lost"])
    assert house.told() == ["babken entered buyers", "davit entered lost"]


def test_of_the_erased_nothing_says_where_they_were(house: House) -> None:
    house.says(everybody="lead.score == 0")
    house.sweeps()
    Eraser(house.store, "secret").erase("ani", "a test")
    house.sweeps(days=2)
    with house.store.read() as connection:
        query = select(func.count()).where(segment_members.c.lead_id == "ani")
        assert connection.execute(query).scalar_one() == 0
        assert connection.execute(select(leads.c.segments).where(leads.c.id == "ani")).scalar_one() is None


def test_two_sweeps_and_an_event_at_once_tell_one_entry(house: House) -> None:
    house.says(silent={**SILENT, "not_bought": {"within": "1 day"}})
    house.sweeps()
    for name in ("ani", "babken", "davit"):
        house.buys(name, f"o-{name}")
    house.now += 2 * DAY
    jobs: list[Callable[[], object]] = [house.sweeps, house.sweeps]
    jobs += [lambda name=name: house.happens(f"u-{name}", name, "lead.merged") for name in ("ani", "davit")]  # type: ignore[misc]
    threads = [Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(house.told()) == [f"{name} entered silent" for name in ("ani", "babken", "davit")]
    with house.store.write() as connection:
        assert lock_survivor(connection, "ani") is not None
