"""`dripline score …` over a store: reasons, other rules planned and applied, and rules judged."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.workspace import load_workspace
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead
from dripline.store.rules import make_known
from dripline.store.schema import audit, events, score_points
from tests.cli.conftest import WORKSPACE, run

SCORING = """\
scoring:
  warm: 20
  hot: 50
  grades: {A: 5}
  rules:
    - {event: demo.booked, points: 30, name: Demo}
    - {when: lead.seats, points: 5}
"""
NOW = machine_clock()


@pytest.fixture
def shop(workspace: Path, store: Store) -> Store:
    say(workspace, SCORING)
    known, _ = load_workspace(workspace)
    assert known is not None
    make_known(store, known)
    with store.write() as connection:
        for number in (1, 2, 3):
            add_lead(
                connection, f"lead-{number}", {"attributes": {"seats": number}}, NOW - timedelta(days=200)
            )
    happens(store, "lead-1", "lead.created", 150)
    happens(store, "lead-1", "demo.booked", 30)
    happens(store, "lead-2", "lead.created", 150)
    return store


def say(workspace: Path, scoring: str) -> None:
    (workspace / "dripline.yaml").write_text(WORKSPACE + scoring)


def happens(store: Store, lead: str, name: str, days_ago: float) -> None:
    at = NOW - timedelta(days=days_ago)
    with store.write() as connection:
        record(connection, Event(f"{lead}.{name}.{days_ago}", lead, name, {}, at), at)


def told(*words: str) -> Any:
    status, said = run("score", *words, "--format", "json")
    assert status == 0, said
    return json.loads(said)


def test_why_a_lead_has_its_score_is_said_rule_by_rule(shop: Store) -> None:
    status, said = run("score", "--explain", "lead-1")
    assert status == 0
    assert "points: warm, grade A (by 5 points)." in said
    assert "It is hot from 50 points on" in said
    assert "If nothing more happens, it cools on" in said
    reasons = {one["rule"]: one for one in told("--explain", "lead-1")["reasons"]}
    assert reasons["Demo"]["worth"] == pytest.approx(15, abs=0.05), "a half-life has passed"
    assert (reasons["Demo"]["times"], reasons["lead.seats"]["kind"]) == (1, "fact")
    assert [one["warmth"] for one in told("--explain", "lead-1")["history"]] == ["cold", "warm"]


def test_other_rules_hold_once_they_are_applied_and_tell_nobody(shop: Store, workspace: Path) -> None:
    say(workspace, SCORING.replace("points: 30", "points: 120").replace("points: 5}", "points: 2}"))
    known, _ = load_workspace(workspace)
    assert known is not None
    make_known(shop, known)
    assert told()["differs"] is True
    assert [one["points"] for one in told()["rules"]["rules"]] == [30, 5]
    planned = told("plan")
    assert planned["warmth"] == [{"before": "warm", "after": "hot", "leads": 1}]
    assert told("--explain", "lead-1")["warmth"] == "warm", "nothing was written"
    status, said = run("score", "apply", says="n\n")
    assert (status, "Nothing was done." in said) == (1, True)
    assert told("apply", "--yes") == planned
    explained = told("--explain", "lead-1")
    assert (explained["warmth"], explained["grade"], explained["history"][-1]["why"]) == ("hot", "D", "rules")
    assert told("plan")["scores"] == 0, "done again, it changes nothing"
    assert told()["differs"] is False
    with shop.read() as connection:
        names = set(connection.execute(select(events.c.name)).scalars())
        assert (
            connection.execute(select(audit.c.what).order_by(audit.c.id)).scalars().all()[-1] == "scored-anew"
        )
    assert "lead.warmed" in names
    warmed = told("--explain", "lead-1")["history"]
    assert [one["why"] for one in warmed].count("rules") == 1


def test_points_that_a_colleague_gave_stay_when_leads_are_scored_anew(shop: Store, workspace: Path) -> None:
    with shop.write() as connection:
        row = {"lead_id": "lead-2", "rule": "journey:welcome", "points": 7.0, "at": NOW, "half_life": None}
        connection.execute(score_points.insert().values(**row))
    say(workspace, SCORING.replace("points: 5}", "points: 1}"))
    told("apply", "--yes")
    assert told("--explain", "lead-2")["score"] == 8


def test_rules_are_judged_by_what_leads_did_after_they_were_looked_at(shop: Store) -> None:
    happens(shop, "lead-1", "order.paid", 20)
    judged = told("report", "--goal", "order.paid", "--after", "175", "--within", "10")
    assert (judged["leads"], judged["bought"]) == (3, 1)
    demo = judged["rules"][0]
    assert (demo["with"], demo["without"]) == ({"leads": 1, "bought": 1}, {"leads": 2, "bought": 0})
    assert demo["verdict"] == "not-enough"
    assert judged["ranking"] == 1
    earlier = told("report", "--goal", "order.paid")
    assert (earlier["leads"], earlier["bought"]) == (3, 0), "the demo and the order came later than that"
    status, said = run("score", "report", "--goal", "order.payd")
    assert (status, "order.paid" in said) == (1, True)
    assert run("score", "report")[0] == 1, "nothing says what buying is"


def test_where_leads_are_not_scored_it_is_said_so(workspace: Path, store: Store) -> None:
    for words in ((), ("plan",), ("report",), ("apply", "--yes")):
        status, said = run("score", *words)
        assert (status, said.startswith("Leads are not scored")) == (1, True)
