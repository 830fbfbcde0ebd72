"""Scores over the API and on the lead's page."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.orders import OrderRules
from dripline.language.rules import Rules
from dripline.language.scoring import DAY, ScoreRule, Scoring
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead
from dripline.store.rules import keep_rules

SCORING = Scoring(
    rules=(
        ScoreRule(name="Demo <b>", events=("demo.booked",), points=30, half_life=30 * DAY),
        ScoreRule(name="lead.company", when="lead.company", points=10),
    ),
    warm=20,
    hot=50,
    grades=(("A", 10.0),),
    timezone="UTC",
)


@pytest.fixture
def now(store: Store, client: TestClient) -> datetime:
    """The app has started with a workspace that scores nobody: the rules are put in force after it."""
    now = machine_clock()
    with store.write() as connection:
        keep_rules(connection, Rules(scoring=SCORING, orders=OrderRules(event="order.paid")), now)
        add_lead(connection, "lead-1", {"attributes": {"company": "Ararat"}}, now - timedelta(days=90))
        for days, name in ((90, "lead.created"), (80, "demo.booked"), (20, "demo.booked")):
            at = now - timedelta(days=days)
            record(connection, Event(f"e{days}", "lead-1", name, {}, at), at)
    return now


def test_the_api_says_why_a_lead_has_its_score(client: TestClient, now: datetime) -> None:
    answer = client.get("/v1/leads/lead-1/score")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["warmth"], body["grade"], body["fit"]) == ("warm", "A", 10)
    assert [(one["rule"], one["kind"], one["times"]) for one in body["reasons"]] == [
        ("Demo <b>", "event", 2),
        ("lead.company", "fact", 1),
    ]
    assert body["score"] == pytest.approx(10 + 30 * 0.5 ** (80 / 30) + 30 * 0.5 ** (20 / 30), abs=0.1)
    assert datetime.fromisoformat(body["cools_at"]) > now
    lead = client.get("/v1/leads/lead-1").json()
    assert (lead["warmth"], lead["grade"]) == ("warm", "A")


def test_the_api_judges_the_rules(client: TestClient, now: datetime) -> None:
    body = client.get("/v1/scores/report").json()
    assert (body["goal"], body["leads"], body["bought"]) == ("order.paid", 1, 0)
    assert [one["verdict"] for one in body["rules"]] == ["not-enough", "not-enough"]
    wrong = client.get("/v1/scores/report?goal=order.payd")
    assert (wrong.status_code, "order.paid" in wrong.text) == (422, True)


def test_the_page_of_a_lead_shows_its_curve_and_its_reasons(client: TestClient, now: datetime) -> None:
    page = client.get("/leads/lead-1").text
    assert '<svg viewBox="0 0 720 200" role="img"' in page
    assert page.count("<circle") == 3
    assert "Demo &lt;b&gt;" in page
    assert "Demo <b>" not in page
    assert "grade A" in page
    assert "If nothing more happens, it cools on" in page


def test_where_leads_are_not_scored_it_is_said_so(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        add_lead(connection, "lead-1", {"score": 4}, machine_clock())
    assert client.get("/v1/leads/lead-1/score").json()["code"] == "not-scored"
    assert client.get("/v1/scores/report").status_code == 404
    page = client.get("/leads/lead-1").text
    assert "<dt>Score</dt><dd>4</dd>" in page
    assert "Because of" not in page
