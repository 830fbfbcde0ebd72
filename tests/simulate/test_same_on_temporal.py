"""The scenarios of the repository on the real store, worker and Temporal: the same transcript as in memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"\b(?:[2-9A-Z]{5}-[2-9A-Z]{5}|MADE-UP-\d+)\b")
KEYS = ("DRIPLINE_SENDGRID_API_KEY", "TEMPORAL_API_KEY")
AMONG_OTHERS = """
journey: among-others
priority: 40
trigger: {event: demo.booked, key: event.seats, reentry: always}
exit: [{event: order.paid, reason: paid}]
messages: {topic: newsletter, limit: 2 per 7 days, quiet_hours: "21:00-09:00"}
steps:
  - email: hello
  - update: {score: {add: 10}}
  - wait_for: lead.updated
    when: "lead.plan == 'team' and trigger.seats == 2"
    timeout: 3 days
    else: [{stop: alone}]
  - enroll: by-hand
"""
IMPORTANT = """
journey: important
priority: 60
trigger: {event: demo.booked, reentry: always}
messages: {topic: newsletter, limit: 2 per 7 days, quiet_hours: "21:00-09:00"}
steps:
  - email: hello
"""
BY_HAND = """
journey: by-hand
trigger: manual
messages: {topic: newsletter}
steps:
  - sms: hello
  - delay: 1 day
"""
BIRTHDAY = """
journey: birthday
trigger: {date: lead.birthday, offset: -1 day, at: "09:00"}
messages: {topic: newsletter}
steps:
  - email: hello
"""
SCENARIOS = """
- scenario: several at once, at night, with a cap
  lead:
    {email: ani@example.com, phone: "+37491123456", timezone: Asia/Yerevan, birthday: 1992-06-05,
     consent: {email: true, sms: true}}
  start: 2026-06-01T23:30
  trigger: {seats: 2}
  with: [important, by-hand, birthday]
  until: 30 days
  events:
    - {after: 1 day, event: demo.booked, seats: 3}
    - {after: 2 days, lead: {plan: team}}
  expect: []
"""


def played(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What `dripline test` tells of every scenario."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRIPLINE_")}
    done = subprocess.run(
        [sys.executable, "-m", "dripline", "test", "--format", "json", *arguments],
        cwd=folder,
        # Keys in the environment must not make a performance real, nor let it look for another server.
        env={**environment, "PYTHONPATH": str(ROOT), **dict.fromkeys(KEYS, "not-to-be-used")},
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def story(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """What happened, in order, less the codes, which each side makes for itself."""
    seen = [row["seen"] for row in result["rows"] if row["seen"]]
    return [{name: CODE.sub("CODE", value) for name, value in one.items() if name != "code"} for one in seen]


def same(there: list[dict[str, Any]], here: list[dict[str, Any]]) -> None:
    assert [one["scenario"] for one in there] == [one["scenario"] for one in here]
    for real, virtual in zip(there, here, strict=True):
        assert real["trouble"] == [], real["scenario"]
        assert story(real) == story(virtual), real["scenario"]
        for one, other in zip(real["rows"], virtual["rows"], strict=True):
            apart = datetime.fromisoformat(one["at"]) - datetime.fromisoformat(other["at"])
            assert abs(apart) < timedelta(seconds=1), (real["scenario"], one, other)


@pytest.mark.temporal
@pytest.mark.timeout(300)
def test_every_scenario_of_the_repository_goes_the_same_way_on_temporal() -> None:
    there, here = played(ROOT, "--on", "temporal"), played(ROOT)
    assert len(there) > 30
    assert [one["scenario"] for one in there if not one["passed"]] == []
    same(there, here)


@pytest.mark.temporal
def test_caps_priorities_keys_dates_and_enrolments_go_the_same_way_on_temporal(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for text in (AMONG_OTHERS, IMPORTANT, BY_HAND, BIRTHDAY):
        folder.write(f"journeys/{text.split()[1]}.yaml", text)
    folder.write("journeys/among-others.test.yaml", SCENARIOS)
    there, here = played(tmp_path, "--on", "temporal"), played(tmp_path)
    assert len(story(here[0])) > 9
    same(there, here)


def test_what_would_call_other_systems_is_left_out_and_said(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "journeys/calling.yaml",
        "journey: calling\ntrigger: manual\nsteps:\n  - webhook: {url: 'https://example.com/'}\n",
    )
    folder.write(
        "journeys/calling.test.yaml",
        "- {scenario: calls, lead: {}, start: 2026-06-01T10:00, expect: []}\n",
    )
    [told] = played(tmp_path, "--on", "temporal")
    assert (told["passed"], told["left_out"]) == (
        None,
        "it calls other systems: they are answered in memory only",
    )
