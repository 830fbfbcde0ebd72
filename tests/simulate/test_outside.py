"""What leaves the process, in scenarios: discounts, calls and notices."""

from __future__ import annotations

from pathlib import Path

from dripline.language.project import load_project
from dripline.simulate.playing import play
from tests.language.conftest import Folder

JOURNEY = """
journey: first
trigger: {event: demo.booked}
messages: {topic: newsletter}
steps:
  - discount: {percent: 15, valid: 14 days}
    as: offer
  - webhook: "https://crm.example.com/leads/{{ lead.id }}"
    id: ask
    as: crm
  - branch:
      - when: "crm.ok and crm.json.rating > 3"
        steps:
          - email: {template: hello, subject: "Your code {{ offer.code }}"}
      - else:
          - stop: rated low
"""
SCENARIO = """
- scenario: rated well
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-03-02T10:00
  answers: {ask: {ok: true, json: {rating: 5}}}
  expect:
    - {after: 0s, discount: 15%, expires_on: 2026-03-16}
    - {after: 0s, webhook: "https://crm.example.com/leads/lead-1"}
    - {after: 0s, email: hello, subject: "/^Your code [A-Z0-9-]+$/"}
    - {after: 0s, ends: finished}

- scenario: no answer is said
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-03-02T10:00
  partial: true
  expect:
    - {after: 0s, ends: rated low}
"""


def test_discounts_and_calls_are_expected_and_answered(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/first.yaml", JOURNEY)
    folder.write("journeys/first.test.yaml", SCENARIO)
    project = load_project(tmp_path)
    assert [str(problem) for problem in project.problems if problem.severity == "error"] == []
    assert project.workspace is not None
    for scenario in project.scenarios["first"].scenarios:
        result = play(scenario, "first", project.plans, project.workspace)
        assert [row for row in result.rows if not row.fine] == []
        assert result.passed
