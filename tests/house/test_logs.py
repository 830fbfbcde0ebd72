from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from dripline.logs import configure_logs, mask


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


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("to ani@example.com now", "to a…@example.com now"),
        ("/v1/leads/ani@example.com?x=1", "/v1/leads/a…@example.com?x=1"),
        ("?email=ani.p%40mail.example.com&b", "?email=a…%40mail.example.com&b"),
        ("<Ani+news@xn--80ak6aa92e.com>", "<A…@xn--80ak6aa92e.com>"),
        ("անի@օրինակ.հայ", "ա…@օրինակ.հայ"),
        ("postgresql://me:word@db.example.com/x", "postgresql://me:w…@db.example.com/x"),
        ("call +37491123456!", "call +374…56!"),
        ("call +374 (91) 12-34-56!", "call +374…56!"),
        ("?phone=%2B37491123456", "?phone=%2B3…56"),
    ],
)
def test_an_address_in_a_line_is_masked(said: str, written: str) -> None:
    assert mask(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-22T15:17:00+00:00",
        "1 + 12345678",
        "worker@host",
        "@decorated",
        "a 01a2033f-2f94-77c2 b",
        "5 + 3",
    ],
)
def test_what_is_no_address_stays_as_it_is(said: str) -> None:
    assert mask(said) == said


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_address_gets_into_the_log_whoever_writes_it(
    form: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("debug", form, process="web")
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
    ours.info("sent to marked-ani@example.com", to="marked-ani@example.com", phone="+37491123456")
    ours.warning(
        "nested", found={"deep": ["marked-ani@example.com", {"+37491123456": "marked-ani@example.com"}]}
    )
    theirs.warning("refused %s %r", "marked-ani@example.com", {"to": "+37491123456"})
    theirs.error("extra", extra={"recipient": "marked-ani@example.com"})
    logging.getLogger("uvicorn.access").warning('"GET /v1/leads/marked-ani@example.com HTTP/1.1" 200')
    logging.getLogger("uvicorn.error").error(
        "GET /v1/leads?email=marked-ani%40example.com&phone=%2B37491123456"
    )
    try:
        raise ValueError("no lead marked-ani@example.com") from KeyError("+37491123456")
    except ValueError:
        ours.exception("failed")
        theirs.exception("failed as well")
    with structlog.contextvars.bound_contextvars(lead="marked-ani@example.com"):
        ours.info("bound")
    said = capsys.readouterr().err
    assert said.count("m…@example.com") + said.count("m…%40example.com") >= 10
    assert "marked-ani" not in said
    assert "91123456" not in said


def test_a_very_long_line_is_masked_at_once() -> None:
    began = time.process_time()
    mask("a" * 500_000 + "+1" * 100_000 + "." * 200_000 + "@")
    assert time.process_time() - began < 6, (
        "seconds of CPU: it would be hours if it looked at everything again and again"
    )
