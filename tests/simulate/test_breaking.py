"""Twenty ways to break the shipped journeys by hand: each is told by `check`, or a scenario fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dripline.language.project import load_project
from dripline.simulate.playing import play

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository's workspace."""
    for name in ("dripline.yaml", "extensions.py"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path)
    for name in ("journeys", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def caught(folder: Path) -> set[str]:
    """By what the break is caught: codes of problems, or the names of scenarios that fail."""
    project = load_project(folder)
    assert project.workspace is not None
    found = {problem.code for problem in project.problems}
    for journey, file in project.scenarios.items():
        for scenario in file.scenarios:
            if not {journey, *scenario.with_} <= project.plans.keys():
                continue
            played = play(scenario, journey, project.plans, project.workspace)
            if not played.passed:
                found.add(scenario.scenario)
    return found


@pytest.mark.parametrize(
    ("file", "old", "new", "by"),
    [
        ("journeys/welcome.yaml", "delay: 2 days", "delay: 20 days", "stays silent and gets the offer"),
        ("journeys/welcome.yaml", "event.seats >= 5", "event.seats > 5 and event.seats < 5", "dead-branch"),
        (
            "journeys/welcome.yaml",
            "event.seats >= 5",
            "event.seats >= 1",
            "a demo for too few does not count",
        ),
        ("journeys/welcome.yaml", "event.seats >= 5", "event.seat >= 5", "unknown-property"),
        ("journeys/welcome.yaml", "- email: welcome/offer", "- email: welcome/ofer", "missing-template"),
        ("journeys/welcome.yaml", "- stop: booked", "- delay: 1 day", "books a demo while waiting"),
        ("journeys/welcome.yaml", "timeout: 3 days", "timeout: 3 dayz", "bad-duration"),
        ("journeys/welcome.yaml", "wait_for: demo.booked", "wait_for: demo.cancelled", "unknown-property"),
        (
            "journeys/welcome.yaml",
            "reason: rejected",
            "reason: refused",
            "says no, and is left to the journey that wins back",
        ),
        (
            "journeys/farewell.yaml",
            "percent: 30",
            "percent: 3",
            "leaves because of the price, and is offered a lower one",
        ),
        (
            "journeys/farewell.yaml",
            "answer.reason == 'price'",
            "answer.reason == 'prise'",
            "leaves because of the price, and is offered a lower one",
        ),
        (
            "journeys/farewell.yaml",
            "quiet_hours: 21:00-09:00",
            "quiet_hours: 21:00-08:00",
            "has no time, and is offered a pause, but not at night",
        ),
        ("journeys/bring-a-friend.yaml", "    as: friends", "    as: link", "unknown-name"),
        ("journeys/bring-a-friend.yaml", "referral: friends", "referral: freinds", "unknown-program"),
        (
            "journeys/bring-a-friend.yaml",
            "timeout: 45 days",
            "timeout: 20 days",
            "the friend joins after the reminder",
        ),
        (
            "journeys/deferred-demand.yaml",
            "every: 6 weeks",
            "every: 6 months",
            "is reminded now and then, and on the day",
        ),
        ("journeys/reactivation.yaml", "until: holiday 10:00", "until: monday 10:00", "stays away for good"),
        ("journeys/reactivation.yaml", "holdout: 15%", "holdout: 115%", "bad-percent"),
        ("journeys/webinar.yaml", "key: event.webinar", "key: event.webiner", "unknown-property"),
        ("journeys/webinar.yaml", "offset: -1 hour", "offset: 1 hour", "registers, is reminded, and comes"),
        (
            "templates/welcome/hello.hy.mjml",
            "{{ lead.first_name }}",
            "{{ lead.firstname }}",
            "unknown-attribute",
        ),
    ],
)
def test_a_break_is_caught(folder: Path, file: str, old: str, new: str, by: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert by in caught(folder)
