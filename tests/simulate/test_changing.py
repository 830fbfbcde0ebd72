"""Journeys that change the lead and one another, in the made-up world and in scenarios."""

from __future__ import annotations

from pathlib import Path

from dripline.language.project import load_project
from dripline.simulate.playing import Played, play
from tests.language.conftest import Folder

FIRST = """
journey: first
trigger: {event: lead.created}
exit: [{event: lead.updated, when: "lead.stage == 'customer'", reason: bought}]
steps:
  - update: {stage: warm, score: {add: 5}, tags: {add: vip}}
  - enroll: second
  - enroll: second
  - delay: 1 day
  - unenroll: second
  - update: {stage: customer}
  - stop: never reached
"""
SECOND = """
journey: second
trigger: {event: demo.booked}
messages: {topic: newsletter}
steps:
  - email: hello
  - delay: 9 days
"""
SCENARIO = """
- scenario: warms up
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-03-02T10:00
  with: [second]
  expect:
    - {after: 0s, update: {score: 5, stage: warm, tags: [vip]}}
    - {after: 0s, enroll: second}
    - {after: 0s, enroll: second, reason: the lead is in the journey already}
    - {after: 0s, email: hello, journey: second}
    - {after: 1 day, ends: by first, journey: second}
    - {after: 1 day, unenroll: second}
    - {after: 1 day, update: {stage: customer}}
    - {after: 1 day, ends: bought}
"""


def played(folder: Folder) -> Played:
    folder.write("journeys/first.yaml", FIRST)
    folder.write("journeys/second.yaml", SECOND)
    folder.write("journeys/first.test.yaml", SCENARIO)
    project = load_project(Path(folder.root))
    assert [problem for problem in project.problems if problem.severity == "error"] == []
    assert project.workspace is not None
    return play(project.scenarios["first"].scenarios[0], "first", project.plans, project.workspace)


def test_changes_enrolments_and_their_ends_are_expected_like_messages(tmp_path: Path) -> None:
    result = played(Folder(tmp_path))
    assert [row for row in result.rows if not row.fine] == []
    assert result.passed
