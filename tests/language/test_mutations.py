"""Whatever a file holds, its author gets problems, never a traceback."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dripline.language.project import load_project

ROOT = Path(__file__).parents[2]
FILES = (
    "journeys/welcome.yaml",
    "journeys/welcome.test.yaml",
    "dripline.yaml",
    "templates/welcome/hello.en.mjml",
    "templates/welcome/see-you-there.hy.txt",
)
SCRAPS = st.sampled_from(
    [
        *(
            " - x\n",
            "{",
            "}",
            "[",
            "]",
            ": ",
            "\n",
            "  ",
            "\t",
            '"',
            "'",
            "{{",
            "}}",
            "{% if x %}",
            "!x ",
            "*x ",
            "&x ",
        ),
        *(
            "x",
            "9",
            "-1",
            "null",
            "true",
            "steps:\n",
            "then:\n",
            "- delay: 1 day\n",
            "else: []\n",
            "---\n",
            "<mj-x>",
            "|\n",
        ),
        *("- repeat: {}\n", "trigger: manual\n", "as: y\n", "\u2028", "\ufeff", "\x00", "Ա", "🎈"),
    ]
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    for part in ("journeys", "templates"):
        shutil.copytree(ROOT / part, root / part)
    shutil.copy(ROOT / "dripline.yaml", root)
    return root


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_edit_of_a_file_ends_in_a_traceback(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FILES))
    text = (ROOT / path).read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(SCRAPS) + text[end:]
    (copy / path).write_text(text, encoding="utf-8")
    try:
        project = load_project(copy)
    finally:
        shutil.copy(ROOT / path, copy / path)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in project.problems)
    assert project.problems or project.plans
