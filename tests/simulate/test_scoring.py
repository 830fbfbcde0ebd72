"""Scores in scenarios are those that the store comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from dripline.ingest.recording import record
from dripline.ingest.scoring.ageing import Ageing
from dripline.language.compile_scoring import compile_scoring
from dripline.language.project import load_project
from dripline.language.rules import compile_rules
from dripline.simulate.life import Life
from dripline.simulate.playing import play
from dripline.simulate.setting import NOBODY
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import facts, load_lead
from dripline.store.rules import keep_rules
from tests.ingest.journeys import a_lead
from tests.language.conftest import WORKSPACE, Folder

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
SCORING = """
scoring:
  warm: 20
  hot: 50
  grades: {A: 5}
  rules:
    - {event: demo.booked, when: "event.seats >= 5", points: 25}
    - {event: email.sent, points: 1, most: 1 per day}
    - {when: lead.plan, points: 5}
"""
JOURNEY = """
journey: j
trigger: {event: lead.warmed}
exit: [{event: lead.cooled, reason: cooled}]
messages: {topic: newsletter}
steps:
  - email: hello
    if: "lead.warmth == 'warm' and lead.grade == 'A'"
  - update: {score: {add: 30}}
  - wait_for: lead.warmed
    when: "event.after == 'hot'"
    timeout: 90 days
    then: [{stop: hot}]
"""
SCENARIO = """
- scenario: warms by a demo, is made hot, and stays so
  lead: {email: ani@example.com, plan: pro, consent: {email: true}}
  start: 2026-03-02T10:00
  trigger: {after: warm, before: cold, score: 30}
  events:
    - {after: 2 days, event: demo.booked, seats: 8}
  expect:
    - {after: 0s, update: {score: 30}}
    - {after: 2 days, ends: hot}
"""


def folder_of(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    events = WORKSPACE.replace("events:\n", "events:\n  email.sent: {}\n")
    folder.write("dripline.yaml", events + SCORING)
    folder.write("journeys/j.yaml", JOURNEY)
    folder.write("journeys/j.test.yaml", SCENARIO)
    return folder


def test_a_scenario_warms_and_is_told_by_the_rules_of_the_workspace(tmp_path: Path) -> None:
    project = load_project(folder_of(tmp_path).root)
    assert [str(one) for one in project.problems if one.severity == "error"] == []
    assert project.workspace is not None
    result = play(project.scenarios["j"].scenarios[0], "j", project.plans, project.workspace)
    assert result.passed, result.rows


def test_a_made_up_lead_is_scored_day_by_day_as_the_store_scores(tmp_path: Path, store: Store) -> None:
    workspace = load_project(folder_of(tmp_path).root).workspace
    assert workspace is not None
    life = Life([], {**NOBODY, "plan": "pro"}, START, scoring=compile_scoring(workspace))
    coming = {0: ("lead.created", {}), 2: ("demo.booked", {"seats": 8}), 9: ("demo.booked", {"seats": 6})}
    with store.write() as connection:
        keep_rules(connection, compile_rules(workspace), START)
        a_lead(connection, attributes={"plan": "pro"})
    for day, (name, properties) in coming.items():
        life.happens(name, properties, START + timedelta(days=day))
    went = set()
    for day in range(120):
        now = START + timedelta(days=day)
        life.live(now)
        if day in coming:
            with store.write() as connection:
                record(connection, Event(f"e{day}", "lead-1", *coming[day], now), now)
        Ageing(store, partial(_same, now)).reckon()
        with store.read() as connection:
            kept = facts(load_lead(connection, "lead-1"))
        assert (kept["grade"], kept["warmth"]) == (life.state.lead["grade"], life.state.lead["warmth"])
        assert abs(kept["score"] - life.state.lead["score"]) <= 1 + 0.1 * kept["score"]
        went.add(kept["warmth"])
    assert went == {"cold", "warm", "hot"}


def _same(moment: datetime) -> datetime:
    return moment
