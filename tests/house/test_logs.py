from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from dripline.logs import configure_logs, mask_email, mask_phone


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_ours_and_the_librarys_lines_are_json_alike(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json", process="worker")
    structlog.get_logger("ours").info("sent", message="m-1", town="Երևան")
    logging.getLogger("theirs").warning("slow %s", "disk")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["process"], ours["event"], ours["message"], ours["town"]) == (
        "worker",
        "sent",
        "m-1",
        "Երևան",
    )
    assert (theirs["level"], theirs["logger"], theirs["event"]) == ("warning", "theirs", "slow disk")


def test_a_traceback_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    try:
        raise ValueError("no such step")
    except ValueError:
        structlog.get_logger("ours").exception("turn failed")
    assert "ValueError: no such step" in json.loads(capsys.readouterr().err)["exception"]


def test_http_clients_do_not_tell_what_they_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", "json")
    logging.getLogger("httpx").info("GET https://example.com/leads?email=ani@example.com")
    assert capsys.readouterr().err == ""


def test_console_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "console")
    structlog.get_logger("ours").info("sent", message="m-1")
    line = capsys.readouterr().err
    assert "sent" in line
    assert "message=m-1" in line


def test_masked_addresses_cannot_be_written_to() -> None:
    assert mask_email("ani@example.com") == "a…@example.com"
    assert mask_email("not an address") == "…"
    assert mask_phone("+37491123456") == "+374…56"
    assert mask_phone("+3749") == "…"
