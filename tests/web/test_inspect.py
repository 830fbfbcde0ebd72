from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from dripline.cli import app
from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.service import Ingest
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from tests.ingest.journeys import a_plan, published
from tests.web.conftest import WORKSPACE

FILE = """\
timezone: Asia/Yerevan
locales: [hy]
postal_address: Example Ltd, 1 Garden Street, Yerevan
default_region: AM
events:
  demo.booked: {seats: integer}
  order.paid: {total: number}
"""


@pytest.fixture
def house(store: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A workspace folder and a store with one lead in one journey, as the commands find them by their settings."""
    (tmp_path / "dripline.yaml").write_text(FILE)
    monkeypatch.setenv("DRIPLINE_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("DRIPLINE_DATABASE_URL", store_url)
    monkeypatch.setenv("DRIPLINE_PORT", str(_free_port()))
    with store.write() as connection:
        published(connection, a_plan())
    ingest = Ingest(store, WORKSPACE)
    ingest.upsert_lead(LeadIn(external_id="crm-1", email="ani@example.com", phone="091123456"))
    ingest.record_event(EventIn(name="order.paid", lead="crm-1", properties={"total": 9}))
    return store


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


@pytest.mark.parametrize("who", ["ani@example.com", "crm-1", "+37491123456", "091 12 34 56"])
def test_why_tells_the_story_of_a_lead_by_any_of_its_names(house: Store, who: str) -> None:
    code, told = run("why", who)
    assert code == 0
    lines = told.splitlines()
    assert "ani@example.com, +37491123456, crm-1" in lines[0]
    assert lines[1] == "  welcome: about to begin"
    assert [line[21:] for line in lines[3:]] == ["event lead.created", "event order.paid (total: 9)"]


def test_why_tells_programs_the_same(house: Store) -> None:
    code, told = run("why", "crm-1", "--format", "json")
    story = json.loads(told)
    assert code == 0
    assert [entry["what"] for entry in story["entries"]] == ["lead.created", "order.paid"]
    assert story["runs"][0]["journey"] == "welcome"


def test_nobody_is_an_answer_too(house: Store) -> None:
    code, told = run("why", "davit@example.com")
    assert (code, "There is no such lead" in told) == (1, True)


def test_runs_are_listed_for_people_and_for_programs(house: Store) -> None:
    code, told = run("runs", "--lead", "ani@example.com", "--open")
    assert code == 0
    assert "about to begin" in told
    code, told = run("runs", "--journey", "welcome", "--format", "json")
    assert [one["journey"] for one in json.loads(told)] == ["welcome"]
    assert run("runs", "--journey", "none")[1] == "No such runs.\n"


def test_an_empty_mailbox_says_so(house: Store) -> None:
    assert run("mailbox") == (0, "No messages yet.\n")
    assert run("mailbox", "--state", "held") == (0, "No messages yet.\n")
    assert run("mailbox", "--state", "lost")[0] == 2
    assert run("mailbox", "--show", "abc") == (1, "There is no such message.\n")


def test_an_event_without_a_running_process_says_what_to_start(house: Store) -> None:
    code, told = run("event", "demo.booked", "--lead", "crm-1")
    assert (code, "dripline up" in told) == (1, True)


@pytest.fixture
def served(house: Store) -> Iterator[Store]:
    """The same, with the web process running."""
    settings = Settings()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, house, WORKSPACE), port=settings.port, log_config=None)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield house
    server.should_exit = True
    thread.join()


def test_an_event_is_recorded_through_the_running_process(served: Store) -> None:
    code, told = run("event", "demo.booked", "--lead", "ani@example.com", "--prop", "seats=8", "--id", "b-1")
    assert code == 0, told
    assert "event demo.booked (seats: 8)" in run("why", "crm-1")[1]
    code, told = run("event", "demo.boked", "--lead", "crm-1", "--json", '{"seats": 8}')
    assert code == 1
    assert "did you mean `demo.booked`" in told


@pytest.mark.parametrize("words", [["--prop", "seats"], ["--json", "{"], ["--json", "[1]"]])
def test_properties_that_cannot_be_read_are_refused(house: Store, words: list[str]) -> None:
    code, told = run("event", "demo.booked", "--lead", "crm-1", *words)
    assert code == 1
    assert words[0] in told


def test_looking_needs_no_temporal() -> None:
    looked_at = "import dripline.cli.inspect, dripline.web.app, dripline.story, dripline.store.overview, sys"
    check = "sys.exit(any(name.startswith('temporalio') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", f"{looked_at}; {check}"], check=False).returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
