"""What no scenario has seen; and that of the shipped journeys nothing is left unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from dripline.language.project import load_project
from dripline.simulate.coverage import uncovered
from dripline.simulate.playing import play
from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]
PROJECT = load_project(ROOT)


def unseen(journey: str, root: Path = ROOT) -> list[str]:
    """What the scenarios of the journey do not show."""
    project = PROJECT if root == ROOT else load_project(root)
    assert project.workspace is not None
    played = [
        play(scenario, journey, project.plans, project.workspace)
        for scenario in project.scenarios[journey].scenarios
    ]
    return [way.said for way in uncovered(project.plans[journey], (one.timeline for one in played))]


@pytest.mark.parametrize("journey", sorted(PROJECT.plans))
def test_the_shipped_scenarios_take_every_way_in_every_language(journey: str) -> None:
    assert unseen(journey) == []


def test_what_no_scenario_shows_is_told_where_it_stands() -> None:
    plan = PROJECT.plans["welcome"]
    assert PROJECT.workspace is not None
    [books] = [one for one in PROJECT.scenarios["welcome"].scenarios if one.scenario.startswith("books")]
    played = play(books, "welcome", PROJECT.plans, PROJECT.workspace)
    assert [(way.step, way.said) for way in uncovered(plan, [played.timeline])] == [
        ("after email:welcome/hello/2", "Wait for demo.booked: the time is never up"),
        ("email:welcome/offer", "E-mail welcome/offer: nobody comes there"),
        (None, "nobody leaves by lead.unsubscribed (unsubscribed)"),
        (None, "nobody leaves by lead.rejected (rejected)"),
        (None, "nobody leaves by lead.updated, lead.stage == 'customer' (became a customer)"),
        (None, "nobody reaches the goal order.paid"),
        (None, "nobody gets a message in am"),
        (None, "nobody gets a message in en"),
        (None, "nobody gets a message in ru"),
    ]


def test_the_command_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    _, said = run("test", "--coverage", "-k", "books a demo", "journeys/welcome.yaml")
    assert "welcome: 9 of " in said
    assert "E-mail welcome/offer: nobody comes there  at email:welcome/offer" in said
    code, said = run("test", "--coverage", "journeys/webinar.yaml")
    assert (code, "webinar: every way is taken" in said) == (0, True)
