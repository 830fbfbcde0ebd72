"""Audiences: who is in a segment now, found in bounded batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from dripline.engine.segments import belongs
from dripline.ingest.audience import BATCH, BadAudience, find_audience, read_audience
from dripline.ingest.membership.facts import Crowd
from dripline.language.membership import compile_segments
from dripline.language.orders import Item, Ordered
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.events import Event, keep
from dripline.store.orders import find_order, keep_order, refund_order
from dripline.store.schema import leads
from tests.ingest.journeys import MONDAY, a_lead

SEGMENTS: dict[str, Any] = {
    "lost": "lead.stage == 'lost'",
    "young": "lead.born > today - days(9000)",
    "visitors": {"did": {"event": "page.viewed", "times": "at least 2", "within": "30 days"}},
    "readers": {"did": {"event": "page.viewed", "when": "event.path is startswith('/blog')"}},
    "seldom": {"did": {"event": "page.viewed", "times": "at most 1"}},
    "never-came": {"did_not": "page.viewed"},
    "buyers": {"bought": {}},
    "spenders": {"bought": {"spent": "100 AMD", "within": "60 days"}},
    "mug-owners": {"bought": {"product": "mug"}},
    "no-mug": {"not_bought": {"product": ["mug", "cup"]}},
    "lost-buyers": {"in": ["lost", "buyers"]},
    "not-lost-buyers": {"in": "buyers", "not_in": "lost"},
    "lost-or-buyers": {"any": [{"in": "lost"}, {"in": "buyers"}]},
}
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["en"],
        "currency": "AMD",
        "attributes": {"born": "date"},
        "events": {"page.viewed": {"path": "text"}},
        "segments": SEGMENTS,
    }
)
LATER = MONDAY + timedelta(days=40)
MEMBERS = {
    "lost": "ani davit",
    "young": "davit",
    "visitors": "ani",
    "readers": "babken",
    "seldom": "babken davit eva",
    "never-came": "davit eva",
    "buyers": "ani babken",
    "spenders": "ani",
    "mug-owners": "babken",
    "no-mug": "ani davit eva",
    "lost-buyers": "ani",
    "not-lost-buyers": "babken",
    "lost-or-buyers": "ani babken davit",
}


@pytest.fixture
def shop(store: Store) -> Store:
    """Five leads forty days ago; of one nothing is left, and one was another."""
    with store.write() as connection:
        a_lead(connection, "ani", stage="lost", attributes={"born": "1990-05-17"})
        a_lead(connection, "babken", stage="customer")
        a_lead(connection, "davit", stage="lost", attributes={"born": "2005-05-17"})
        a_lead(connection, "eva")
        a_lead(connection, "gone", stage="lost")
        a_lead(connection, "merged", stage="lost")
        connection.execute(update(leads).where(leads.c.id == "gone").values(erased_at=MONDAY))
        connection.execute(update(leads).where(leads.c.id == "merged").values(merged_into="ani"))
        for number, (lead, day, path) in enumerate(
            [("ani", 20, "/"), ("ani", 30, "/shop"), ("ani", -99, "/"), ("babken", 9, "/blog/tea")]
        ):
            at = MONDAY + timedelta(days=day)
            keep(connection, Event(f"e{number}", lead, "page.viewed", {"path": path}, MONDAY, at))
        for number, (lead, day, total, product) in enumerate(
            [("ani", 1, 6_000, "tea"), ("ani", 9, 5_000, "tea"), ("babken", -50, 90_000, "mug")]
        ):
            at = MONDAY + timedelta(days=day)
            keep_order(connection, lead, Ordered(f"o{number}", total, "AMD", (Item(product),)), at, None)
        keep_order(connection, "eva", Ordered("back", 9_000, "AMD", (Item("cup"),)), MONDAY, None)
        kept = find_order(connection, "back")
        assert kept is not None
        refund_order(connection, kept.id, 9_000, MONDAY)
    return store


@pytest.fixture
def found(shop: Store) -> Callable[..., list[str]]:
    def find(audience: str, after: str | None = None, limit: int = 100) -> list[str]:
        with shop.read() as connection:
            return find_audience(connection, WORKSPACE, audience, after, limit, LATER)

    return find


def test_everybody_is_found_who_is_in_a_segment(found: Callable[..., list[str]]) -> None:
    assert {name: " ".join(found(name)) for name in SEGMENTS} == MEMBERS


def test_nobody_is_overlooked_by_what_the_database_tells_by_itself(shop: Store) -> None:
    with shop.read() as connection:
        rows = connection.execute(leads.select().where(leads.c.merged_into.is_(None)).order_by(leads.c.id))
        living = [row for row in rows if row.erased_at is None]
        for name, members in MEMBERS.items():
            crowd = Crowd(connection, compile_segments(WORKSPACE), LATER, living)
            wanted = read_audience(WORKSPACE, name)
            assert [one.row.id for one in crowd.each() if belongs(wanted, one)] == members.split()


def test_an_audience_may_be_a_condition(found: Callable[..., list[str]]) -> None:
    assert found("lead.stage == 'lost' and lead.born is defined") == ["ani", "davit"]
    assert found("lead.stage != 'lost'") == ["babken", "eva"]


def test_an_audience_goes_on_after_the_lead_that_was_last(found: Callable[..., list[str]]) -> None:
    parts = [found("lead.id != 'babken'", None, 2), found("lead.id != 'babken'", "davit", 2)]
    assert parts == [["ani", "davit"], ["eva"]]
    assert found("lead.stage == 'lost'", limit=1) == ["ani"]


def test_an_audience_of_more_than_is_looked_at_in_one_go_is_found_whole(shop: Store) -> None:
    said = {"consent": {}, "topics": {}, "attributes": {}, "created_at": MONDAY, "updated_at": MONDAY}
    with shop.write() as connection:
        many = [{**said, "id": f"lead-{number:04}", "score": number % 2} for number in range(2 * BATCH + 9)]
        connection.execute(insert(leads), many)
        odd = find_audience(connection, WORKSPACE, "lead.score == 1", None, 10_000, LATER)
    assert odd == [f"lead-{number:04}" for number in range(1, 2 * BATCH + 9, 2)]


def test_a_condition_that_cannot_be_evaluated_lets_nobody_in(found: Callable[..., list[str]]) -> None:
    assert found("lead.score / 0 > 1") == []


def test_what_is_no_audience_is_refused_with_the_cure(shop: Store) -> None:
    with shop.read() as connection, pytest.raises(BadAudience, match="did you mean `mug-owners`"):
        find_audience(connection, WORKSPACE, "mug-owner", None, 1, LATER)
