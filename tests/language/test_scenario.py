"""Scenario files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dripline.language.plan import Duration
from dripline.language.project import load_project
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
JOURNEY = "journey: j\ntrigger: {event: lead.created}\nsteps: [{stop: x}]\n"
SOUND = """
- scenario: it ends
  lead: {email: a@example.com, first_name: Ani, consent: {email: true}}
  start: 2026-03-02T10:00
  events: [{after: 1 day, event: demo.booked, seats: 8}]
  expect: [{after: 0s, ends: x}]
"""


def test_the_scenarios_of_the_repository_are_sound() -> None:
    welcome = load_project(ROOT).scenarios["welcome"].scenarios
    assert len(welcome) == 7
    assert welcome[0].events[0].properties == {"seats": "8", "starts_at": "2026-03-09T15:00"}
    assert welcome[0].expect[1].after == Duration(days=3)


def test_a_sound_file_is_loaded(folder: Folder) -> None:
    folder.write("journeys/j.yaml", JOURNEY)
    folder.write("journeys/j.test.yaml", SOUND)
    project = folder.load()
    assert project.problems == ()
    assert project.scenarios["j"].scenarios[0].lead.attributes == {"first_name": "Ani"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("- scenario: it ends", "- scenaro: it ends", "1:3 missing-key"),
        ("first_name", "frist_name", "2:32 unknown-key"),
        ("first_name: Ani", "first_touch: {sorce: x}", "2:46 unknown-key"),
        ("first_name: Ani", "first_touch: {cost: much}", "2:52 wrong-type"),
        ("consent: {email: true}", "consent: {mail: true}", "2:59 unknown-key"),
        ("email: true", "email: yes", "2:66 wrong-type"),
        ("2026-03-02T10:00", "monday", "3:10 bad-time"),
        ("seats: 8", "seats: eight", "4:54 wrong-type"),
        ("seats: 8", "seat: 8", "4:47 unknown-key"),
        ("demo.booked", "demo.boked", "4:34 unknown-event"),
        ("after: 1 day, event", "event", "4:12 missing-key"),
        ("after: 0s, ends: x", "after: 0s", "5:12 wrong-value"),
        ("ends: x", "ends: x, subject: y", "5:33 wrong-value"),
        ("ends: x", "ends: x, emial: y", "5:33 unknown-key"),
        ("0s", "soon", "5:20 bad-duration"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_told(folder: Folder, old: str, new: str, problem: str) -> None:
    folder.write("journeys/j.yaml", JOURNEY)
    folder.write("journeys/j.test.yaml", SOUND.replace(old, new))
    assert folder.told()[0] == f"journeys/j.test.yaml:{problem}"


def test_scenarios_without_a_journey_are_told(folder: Folder) -> None:
    folder.write("journeys/k.test.yaml", SOUND)
    assert folder.told() == ["journeys/k.test.yaml:1:1 no-journey"]


def test_a_file_of_scenarios_is_a_list(folder: Folder) -> None:
    folder.write("journeys/j.yaml", JOURNEY)
    folder.write("journeys/j.test.yaml", "scenario: x\n")
    assert folder.told() == ["journeys/j.test.yaml:1:1 wrong-type"]
