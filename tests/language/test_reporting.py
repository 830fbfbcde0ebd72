"""`reports` of the workspace file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dripline.language.plan import Duration
from dripline.language.workspace import load_workspace


def test_how_reports_count_may_be_said_once_for_all(tmp_path: Path) -> None:
    head = "timezone: UTC\nlocales: [en]\n"
    (tmp_path / "dripline.yaml").write_text(head + "reports: {touches: 2 weeks, lift: 10}\n")
    workspace, problems = load_workspace(tmp_path)
    assert workspace is not None, problems
    assert workspace.reports.touches == Duration(days=14)
    assert (workspace.reports.messages, workspace.reports.lift) == (Duration(days=7), 10)


@pytest.mark.parametrize(
    ("said", "place"), [("{lift: 0}", "3:17"), ("{touches: 2 hours}", "3:20"), ("{tuches: 1 day}", "3:11")]
)
def test_what_no_report_can_count_by_is_told_with_its_place(tmp_path: Path, said: str, place: str) -> None:
    (tmp_path / "dripline.yaml").write_text(f"timezone: UTC\nlocales: [en]\nreports: {said}\n")
    workspace, problems = load_workspace(tmp_path)
    assert workspace is None
    assert [f"{one.line}:{one.column}" for one in problems] == [place]
