"""`dripline test` as its users see it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import timeit
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dripline.language.project import load_project
from dripline.simulate.playing import play

ROOT = Path(__file__).parents[2]
SCENARIOS = re.findall(
    r"^- scenario: (.+)$", (ROOT / "journeys" / "welcome.test.yaml").read_text(), re.MULTILINE
)
"""What the scenarios of the first journey tell, in their order."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository's workspace, with its first journey."""
    shutil.copy(ROOT / "dripline.yaml", tmp_path)
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "journeys").mkdir()
    for name in ("welcome.yaml", "welcome.test.yaml"):
        shutil.copy(ROOT / "journeys" / name, tmp_path / "journeys")
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRIPLINE_")}
    return subprocess.run(
        [sys.executable, "-c", "from dripline.cli import main; main()", "test", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def without_times(text: str) -> str:
    return re.sub(r"\d+ ms", "N ms", text)


def test_the_scenarios_of_the_repository_go_as_expected() -> None:
    done = run("journeys/welcome.yaml", cwd=ROOT)
    assert (done.returncode, without_times(done.stdout).splitlines()) == (
        0,
        [
            *(f"ok     welcome: {scenario} N ms" for scenario in SCENARIOS),
            f"{len(SCENARIOS)} scenarios played in N ms: all as expected",
        ],
    )


def test_all_journeys_of_the_repository_go_as_their_scenarios_say() -> None:
    done = run(cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_a_broken_journey_fails_with_a_timeline_of_what_went_otherwise(folder: Path) -> None:
    change(folder / "journeys" / "welcome.yaml", "- sms: welcome/see-you-there", "- email: welcome/offer")
    done = run("-k", "books", "--workspace", str(folder), cwd=folder)
    assert (done.returncode, without_times(done.stdout).splitlines()) == (
        1,
        [
            "FAILED welcome: books a demo while waiting N ms",
            "  journeys/welcome.test.yaml:1",
            "    Mon 2026-03-02 10:00    event lead.created",
            "    Mon 2026-03-02 10:00  email welcome/hello",
            "    Mon 2026-03-02 10:00    waits 2 days after the e-mail welcome/hello, until 2026-03-04 10:00",
            "    Wed 2026-03-04 10:00    waits for demo.booked, until 2026-03-07 10:00",
            "    Thu 2026-03-05 10:00    event demo.booked (seats: 8, starts_at: 2026-03-09T11:00:00+00:00)",
            "    Thu 2026-03-05 10:00    demo.booked ends the wait",
            "  + Thu 2026-03-05 10:00  email welcome/offer   ← happened, but was not expected",
            "    Thu 2026-03-05 10:00  ends booked",
            "  - Thu 2026-03-05 10:00  sms welcome/see-you-there   ← expected, but did not happen",
            "    Thu 2026-03-05 10:00    event lead.warmed (before: cold, after: warm, score: 30.0, grade: D)",
            "    Fri 2026-03-27 12:19:37    event lead.cooled (before: warm, after: cold, score: 18.0, grade: D)",
            "",
            "1 scenario played in N ms: 1 failed",
        ],
    )


def test_all_scenarios_are_told_though_one_fails(folder: Path) -> None:
    change(folder / "journeys" / "welcome.test.yaml", "ends: booked", "ends: bokked")
    done = run(cwd=folder)
    assert done.returncode == 1
    assert done.stdout.count("\nok ") == len(SCENARIOS) - 1
    assert "ends booked   ← expected bokked" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("1 failed")


def test_a_journey_with_errors_fails_its_scenarios_and_says_why(folder: Path) -> None:
    change(folder / "journeys" / "welcome.yaml", "delay: 2 days", "delay: 2 dayz")
    done = run(cwd=folder)
    assert done.returncode == 1
    assert "journeys/welcome.yaml:21:12: error[bad-duration]" in done.stdout
    assert done.stdout.count("Its journey has errors") == len(SCENARIOS)


def test_programs_get_json(folder: Path) -> None:
    change(folder / "journeys" / "welcome.test.yaml", "Welcome to Dripline, Mary", "Hello, Mary")
    done = run("--format", "json", "-k", "too few", cwd=folder)
    [told] = json.loads(done.stdout)
    assert (done.returncode, told["passed"], told["line"]) == (1, False, 19)
    assert told["rows"][0]["why"] == "subject is 'Welcome to Dripline, Mary', expected 'Hello, Mary'"
    assert told["rows"][1]["as_expected"]


def test_ci_servers_get_junit(folder: Path) -> None:
    change(folder / "journeys" / "welcome.test.yaml", "ends: booked", "ends: bokked")
    suite = ElementTree.fromstring(run("--format", "junit", cwd=folder).stdout)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(SCENARIOS)), "1", "0")
    failed = suite.find("testcase/failure")
    assert failed is not None
    assert "expected bokked" in (failed.text or "")


def test_what_chooses_nothing_is_a_mistake(folder: Path) -> None:
    assert run("-k", "no such thing", cwd=folder).returncode == 1
    (folder / "journeys" / "welcome.test.yaml").unlink()
    assert run(cwd=folder).returncode == 0


def test_a_mistake_of_ours_is_not_passed_for_one_of_the_author(folder: Path) -> None:
    program = (
        "import dripline.cli.test as t\n"
        "def broken(*_): raise RuntimeError\n"
        "t.load_project = broken\n"
        "from dripline.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "test"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3


def test_update_writes_what_happened_and_leaves_the_rest_to_the_letter(folder: Path) -> None:
    file = folder / "journeys" / "welcome.test.yaml"
    change(file, "    - {after: 3 days, ends: booked}\n", "    - {after: 2 days, ends: booked}  # the end\n")
    change(
        file, "  start: 2026-03-02T10:00\n  events:", "  # in Yerevan\n  start: 2026-03-02T10:00\n  events:"
    )
    before = file.read_text(encoding="utf-8")
    change(folder / "journeys" / "welcome.yaml", "timeout: 3 days", "timeout: 4 days")
    assert run("--update", cwd=folder).returncode == 0
    after = file.read_text(encoding="utf-8")
    assert run(cwd=folder).returncode == 0
    told = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [new.strip() for old, new in told if old != new] == [
        "- {after: 3 days, ends: booked}  # the end",
        "- {after: 6 days, email: welcome/offer}",
        "- {after: 6 days, ends: finished}",
        "- {after: 6 days, email: welcome/offer}",
        "- {after: 6 days, ends: finished}",
    ]


def test_update_leaves_a_file_alone_that_cannot_be_read(folder: Path) -> None:
    file = folder / "journeys" / "welcome.test.yaml"
    change(file, "ends: booked}", "ends: booked, ends: finished}")
    before = file.read_text(encoding="utf-8")
    done = run("--update", cwd=folder)
    assert done.returncode == 1
    assert "duplicate-key" in done.stdout
    assert "Traceback" not in done.stderr
    assert file.read_text(encoding="utf-8") == before


def test_update_fills_an_empty_list(folder: Path) -> None:
    file = folder / "journeys" / "welcome.test.yaml"
    file.write_text(
        "- scenario: new\n"
        "  lead: {email: ani@example.com, locale: en, consent: {email: true}}\n"
        "  start: 2026-03-02T10:00\n"
        "  expect: []   # to be filled\n"
        "  partial: false\n",
        encoding="utf-8",
    )
    assert run(cwd=folder).returncode == 1
    assert run("--update", cwd=folder).returncode == 0
    assert file.read_text(encoding="utf-8").splitlines()[3:] == [
        "  expect:",
        "    - {after: 0s, email: welcome/hello}",
        "    - {after: 5 days, email: welcome/offer}",
        "    - {after: 5 days, ends: finished}",
        "  partial: false",
    ]
    assert run(cwd=folder).returncode == 0


def test_the_scenarios_of_the_reference_go_as_expected(folder: Path) -> None:
    docs = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    [block] = [
        block for block in re.findall(r"```yaml\n(.*?)```", docs, re.DOTALL) if block.startswith("- scenario")
    ]
    (folder / "journeys" / "welcome.test.yaml").write_text(block, encoding="utf-8")
    done = run(cwd=folder)
    assert done.returncode == 0, done.stdout


def test_a_scenario_takes_milliseconds() -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    scenario = project.scenarios["welcome"].scenarios[0]
    workspace = project.workspace
    took = min(timeit.repeat(lambda: play(scenario, "welcome", project.plans, workspace), number=1))
    assert took < 0.5


def test_playing_imports_neither_temporal_nor_the_database() -> None:
    program = (
        "import sys, dripline.simulate.playing as p; print([m for m in ('temporalio', 'sqlalchemy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
