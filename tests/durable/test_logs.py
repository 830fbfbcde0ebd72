"""What a failed activity writes to the log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from temporalio.exceptions import ApplicationError

from activities.failures import coded
from dripline.logs import configure_logs


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    configure_logs(json="console", process="worker")
    kept = io.StringIO()
    root.handlers[0].setStream(kept)  # type: ignore[attr-defined]
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def test_a_failed_activity_tells_the_log_nothing_of_the_lead(output: io.StringIO) -> None:
    @coded
    def advance(lead: dict[str, Any]) -> None:
        raise KeyError("step")

    with pytest.raises(ApplicationError):
        advance({"email": "ani@example.com"})
    assert "ani@example.com" not in output.getvalue()
