"""Scores follow from what happens to leads: in the transaction that keeps it, explained, and told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from dripline.ingest.incoming import LeadIn
from dripline.ingest.merging.merge import Times, merge
from dripline.ingest.merging.unmerge import unmerge
from dripline.ingest.recording import record
from dripline.ingest.scoring.ageing import Ageing
from dripline.ingest.service import Ingest
from dripline.language.rules import Rules
from dripline.language.scoring import DAY, ScoreRule, Scoring
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.rules import keep_rules
from dripline.store.schema import events, leads, score_changes, score_points
from tests.ingest.journeys import MONDAY, a_lead

SCORING = Scoring(
    rules=(
        ScoreRule(name="Demo", events=("demo.booked",), points=30, half_life=30 * DAY),
        ScoreRule(name="Visit", events=("page.viewed",), points=4, half_life=10 * DAY, most=2, per=DAY),
        ScoreRule(name="Company", when="lead.company", points=25),
    ),
    warm=20,
    hot=50,
    margin=5,
    grades=(("A", 20.0),),
    timezone="UTC",
)
SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
WORKSPACE = Workspace.model_validate(
    {"timezone": "UTC", "locales": ["en"], "attributes": {"company": "text"}}
)


@pytest.fixture
def shop(store: Store) -> Store:
    with store.write() as connection:
        keep_rules(connection, Rules(scoring=SCORING), MONDAY)
        a_lead(connection)
        a_lead(connection, "lead-2")
    return store


def happens(
    store: Store, name: str, event_id: str, lead: str = "lead-1", after: float = 0, **more: Any
) -> None:
    at = MONDAY + timedelta(days=after)
    with store.write() as connection:
        record(connection, Event(event_id, lead, name, {}, at, **more), at)


def standing(store: Store, lead: str = "lead-1") -> tuple[float, str | None, str | None]:
    with store.read() as connection:
        row = connection.execute(select(leads).where(leads.c.id == lead)).one()
    return row.score, row.grade, row.warmth


def told(store: Store, lead: str = "lead-1") -> list[tuple[str, dict[str, Any]]]:
    query = select(events).where(events.c.name.in_(("lead.warmed", "lead.cooled")), events.c.lead_id == lead)
    with store.read() as connection:
        return [(row.name, row.properties) for row in connection.execute(query.order_by(events.c.seq))]


def age(store: Store, after: float) -> int:
    return Ageing(store, lambda: MONDAY + timedelta(days=after)).reckon()


def test_events_give_points_and_who_warms_is_told_once(shop: Store) -> None:
    happens(shop, "demo.booked", "e1")
    happens(shop, "demo.booked", "e1")
    assert standing(shop) == (30, "D", "warm")
    assert told(shop) == [("lead.warmed", {"before": "cold", "after": "warm", "score": 30.0, "grade": "D"})]
    for number in range(4):
        happens(shop, "page.viewed", f"v{number}")
    assert standing(shop) == (38, "D", "warm"), "two visits a day count"
    assert len(told(shop)) == 1


def test_what_is_known_of_a_lead_counts_from_the_change_on(shop: Store) -> None:
    ingest = Ingest(shop, WORKSPACE, machine=lambda: MONDAY)
    ingest.upsert_lead(LeadIn.model_validate({"id": "lead-1", "attributes": {"company": "Ararat"}}))
    assert standing(shop) == (25, "A", "warm")
    ingest.upsert_lead(LeadIn.model_validate({"id": "lead-1", "attributes": {"company": None}}))
    assert standing(shop) == (0, "D", "cold")
    assert [name for name, _ in told(shop)] == ["lead.warmed", "lead.cooled"]


def test_age_alone_cools_and_is_told_once(shop: Store) -> None:
    happens(shop, "demo.booked", "e1")
    assert age(shop, 0) == 0
    assert age(shop, 29) == 1
    assert standing(shop)[2] == "warm"
    assert age(shop, 31) == 1
    assert standing(shop)[2] == "cold"
    assert age(shop, 31) == 0
    assert [name for name, _ in told(shop)] == ["lead.warmed", "lead.cooled"]
    assert age(shop, 400) == 1
    assert (standing(shop)[0], age(shop, 4_000)) == (0, 0), "nothing is left to reckon"
    with shop.read() as connection:
        assert connection.execute(select(score_points.c.ended_at)).scalar_one() is not None


def test_a_score_that_is_said_takes_the_place_of_all_points(shop: Store) -> None:
    happens(shop, "demo.booked", "e1")
    ingest = Ingest(shop, WORKSPACE, machine=lambda: MONDAY)
    body = {"id": "lead-1", "score": 50, "attributes": {"company": "Ararat"}}
    ingest.upsert_lead(LeadIn.model_validate(body))
    assert standing(shop) == (50, "A", "hot")
    happens(shop, "page.viewed", "v1", after=1)
    assert standing(shop) == (54, "A", "hot")
    created = ingest.upsert_lead(LeadIn.model_validate({"email": "new@example.com", "score": 7}))
    assert standing(shop, created.body["id"]) == (7, "D", "cold")


def test_a_lead_that_had_a_score_before_keeps_it(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        connection.execute(update(leads).values(score=12))
        keep_rules(connection, Rules(scoring=SCORING), MONDAY)
    happens(store, "demo.booked", "e1")
    assert standing(store) == (42, "D", "warm")


@SQLITE
def test_a_lead_that_is_scored_for_the_first_time_by_the_clock_tells_nobody(shop: Store) -> None:
    with shop.write() as connection:
        known = {"attributes": {"company": "Ararat"}, "rescore_at": MONDAY}
        connection.execute(update(leads).where(leads.c.id == "lead-1").values(known))
    assert age(shop, 0) == 1
    assert (standing(shop), told(shop)) == ((25, "A", "warm"), [])


def test_what_is_historical_counts_by_its_age_and_tells_nobody(shop: Store) -> None:
    long_ago = MONDAY - timedelta(days=60)
    happens(shop, "demo.booked", "e1", historical=True, occurred_at=long_ago)
    assert standing(shop) == (7.5, "D", "cold")
    happens(shop, "demo.booked", "e2", historical=True)
    assert (standing(shop), told(shop)) == ((37.5, "D", "warm"), [])


def test_points_follow_a_lead_that_becomes_another_and_go_back(shop: Store) -> None:
    happens(shop, "demo.booked", "e1")
    happens(shop, "demo.booked", "e2", "lead-2")
    with shop.write() as connection:
        done = merge(connection, "lead-1", "lead-2", "command", Times(MONDAY, MONDAY))
    assert standing(shop, done.winner_id) == (60, "D", "hot")
    assert ("lead.warmed", "hot") in [(name, said["after"]) for name, said in told(shop, done.winner_id)]
    with shop.write() as connection:
        unmerge(connection, done.id, Times(MONDAY, MONDAY))
    assert standing(shop) == standing(shop, "lead-2") == (30, "D", "warm")


def test_how_it_went_is_kept_with_its_reasons(shop: Store) -> None:
    happens(shop, "demo.booked", "e1")
    happens(shop, "page.viewed", "v1", after=1)
    age(shop, 40)
    with shop.read() as connection:
        went = connection.execute(select(score_changes).order_by(score_changes.c.id)).all()
    assert [(row.why, row.warmth) for row in went] == [("Demo", "warm"), ("Visit", "warm"), ("age", "cold")]


def test_journeys_hear_of_a_lead_whose_score_has_been_reckoned(shop: Store) -> None:
    """Who listens for the event itself sees the lead with its points."""
    happens(shop, "demo.booked", "e1")
    with shop.read() as connection:
        row = connection.execute(select(leads.c.rescore_at).where(leads.c.id == "lead-1")).scalar_one()
        assert isinstance(row, datetime)
        assert row > MONDAY
