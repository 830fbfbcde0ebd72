"""`dripline check` as its users see it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from dripline.language.explaining import explanations
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
BAD = 'journey: j\ntrigger: {event: lead.created, when: "lead.consnt.email"}\nsteps: [{stop: x}]\n'


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRIPLINE_")}
    return subprocess.run(
        [sys.executable, "-c", "from dripline.cli import main; main()", "check", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_repository_itself_is_clean() -> None:
    done = run(cwd=ROOT)
    assert done.returncode == 0
    assert re.fullmatch(r"\d+ files checked: 0 errors, 0 warnings\n", done.stdout)


def test_a_problem_is_shown_with_its_line_and_a_caret(folder: Folder) -> None:
    folder.write("journeys/j.yaml", BAD)
    done = run(cwd=folder.root)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "journeys/j.yaml:2:39: error[unknown-attribute]: leads have no `consnt.email`",
        '    2 | trigger: {event: lead.created, when: "lead.consnt.email"}',
        "                                              ^",
        "      = did you mean `lead.consent.email`?",
        "",
        "2 files checked: 1 error, 0 warnings",
    ]


def test_programs_get_json(folder: Folder) -> None:
    folder.write("journeys/j.yaml", BAD)
    done = run("--format", "json", cwd=folder.root)
    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {
            "path": "journeys/j.yaml",
            "line": 2,
            "column": 39,
            "code": "unknown-attribute",
            "severity": "error",
            "message": "leads have no `consnt.email`",
            "hint": "did you mean `lead.consent.email`?",
        }
    ]


def test_one_file_can_be_checked_from_anywhere(folder: Folder, tmp_path_factory: object) -> None:
    folder.write("journeys/j.yaml", BAD)
    folder.write("journeys/k.yaml", BAD.replace("journey: j", "journey: k"))
    done = run(str(folder.root / "journeys" / "k.yaml"), cwd=ROOT)
    assert done.returncode == 1
    assert done.stdout.count("error[") == 1
    assert "journeys/k.yaml:2:39" in done.stdout


def test_a_code_is_explained_with_an_example_and_the_cure(tmp_path: Path) -> None:
    done = run("--explain", "unused-timeout", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "warning[unused-timeout]",
        "",
        "A timeout makes a difference: the journey does something else when the time is up.",
        "",
        "For example, among the steps of a journey:",
        "",
        "    - wait_for: order.paid",
        "      timeout: 3 days",
        "    - email: hello",
        "",
        "The cure: Add `then` or `else`, or use `delay`.",
        "",
        "Where it is meant so: # dripline: allow unused-timeout because …",
    ]


def test_a_code_that_there_is_not_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = run("--explain", "unused-timout", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "there is no code `unused-timout`: did you mean `unused-timeout`?\n",
    )


def test_every_code_is_listed(tmp_path: Path) -> None:
    done = run("--list", cwd=tmp_path)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(explanations())


def test_a_mistake_of_ours_is_not_passed_for_one_of_the_author(folder: Folder) -> None:
    program = (
        "import dripline.cli.check as c, sys\n"
        "def broken(*_): raise RuntimeError\n"
        "c.load_project = broken\n"
        "from dripline.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check"], cwd=folder.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "a mistake of Dripline" in done.stderr


def test_checking_does_not_import_temporal() -> None:
    program = "import sys, dripline.cli.check; print('temporalio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
