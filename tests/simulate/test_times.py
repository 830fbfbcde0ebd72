"""Times in scenarios: what waits for the morning, for a place in the line or for a day, and the control group."""

from __future__ import annotations

from pathlib import Path

from dripline.language.project import load_project
from dripline.simulate.playing import play
from tests.language.conftest import Folder

JOURNEY = """
journey: first
trigger: {event: demo.booked}
messages: {topic: newsletter, quiet_hours: "21:00-09:00", throttle: 1 per hour, holdout: 10%}
steps:
  - email: hello
  - email: {template: hello, expires: 30 minutes}
    id: too late
  - delay_until: friday 10:00
  - email: hello
    id: friday
"""
SCENARIO = """
- scenario: enters in the night
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-03-02T23:00
  expect:
    - {at: 2026-03-03T09:00, email: hello}
    - {at: 2026-03-03T09:00, skipped: too late, reason: expired}
    - {at: 2026-03-06T10:00, email: hello}
    - {at: 2026-03-06T10:00, ends: finished}

- scenario: is of the control group
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-03-02T12:00
  holdout: true
  expect:
    - {after: 0s, skipped: "email:hello", reason: holdout}
    - {after: 0s, skipped: too late, reason: holdout}
    - {at: 2026-03-06T10:00, skipped: friday, reason: holdout}
    - {at: 2026-03-06T10:00, ends: finished}
"""


def test_scenarios_tell_of_hours_throttles_moments_and_the_control_group(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/first.yaml", JOURNEY)
    folder.write("journeys/first.test.yaml", SCENARIO)
    project = load_project(tmp_path)
    assert [str(problem) for problem in project.problems if problem.severity == "error"] == []
    assert project.workspace is not None
    for scenario in project.scenarios["first"].scenarios:
        result = play(scenario, "first", project.plans, project.workspace)
        assert [(row.seen, row.differences) for row in result.rows if not row.fine] == []
