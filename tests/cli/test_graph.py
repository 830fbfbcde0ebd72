from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one journey that is right, and one that is not."""
    (tmp_path / "dripline.yaml").write_text("timezone: Asia/Yerevan\nlocales: [en]\n")
    journeys = tmp_path / "journeys"
    journeys.mkdir()
    (journeys / "calm.yaml").write_text(
        "journey: calm\ntrigger: manual\nsteps: [{delay: 2 days}, {stop: rested}]\n"
    )
    (journeys / "wrong.yaml").write_text("journey: wrong\ntrigger: manual\nsteps: [{delay: 2 dayz}]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIPLINE_WORKSPACE", raising=False)
    return tmp_path


def test_the_ending_says_what_kind_of_picture_it_is(written: Path) -> None:
    for ending in ("svg", "png", "mmd", "SVG"):
        file = written / "pictures" / f"calm.{ending}"
        assert run("graph", "calm", "-o", str(file)) == (0, "")
        assert file.stat().st_size > 100
    assert ET.parse(written / "pictures" / "calm.svg").getroot().attrib["role"] == "img"
    assert (written / "pictures" / "calm.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_file_the_chart_goes_to_the_terminal(written: Path) -> None:
    code, told = run("graph", "journeys/calm.yaml")
    assert code == 0
    assert told.startswith("flowchart TD\n")
    assert "Wait 2 days" in told


def test_what_cannot_be_drawn_is_told_with_what_to_do(written: Path) -> None:
    code, told = run("graph", "calm", "-o", "calm.gif")
    assert (code, "let it end in .svg, .png, .mmd" in told) == (1, True)
    code, told = run("graph", "clam")
    assert (code, "did you mean `calm`" in told) == (1, True)
    code, told = run("graph", "wrong")
    assert (code, "bad-duration" in told, "Mend this first" in told) == (1, True, True)
    (written / "taken").write_text("")
    code, told = run("graph", "calm", "-o", "taken/calm.svg")
    assert (code, "cannot be written" in told) == (1, True)


def test_a_folder_that_is_no_workspace_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIPLINE_WORKSPACE", raising=False)
    code, told = run("graph", "welcome")
    assert (code, "no-workspace" in told) == (1, True)
