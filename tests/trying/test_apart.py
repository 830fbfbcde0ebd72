from __future__ import annotations

from pathlib import Path

import pytest

from dripline.settings import Settings
from dripline.stack.apart import apart


def test_where_journeys_are_tried_the_programs_own_events_may_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with apart(Settings(_env_file=None, environment="production")) as there:
        for program in there.programs:
            told = program.environment or {}
            assert (told["DRIPLINE_TRYING"], told["DRIPLINE_ENVIRONMENT"]) == ("true", "development")
