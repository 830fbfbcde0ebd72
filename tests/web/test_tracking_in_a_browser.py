"""From a click in a real browser to the next step of the journey: everything real, and nothing called by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from dripline.store import schema
from dripline.store.database import Store
from tests.temporal_server import free_port
from tests.web.chromium import PROGRAM, Browser

pytestmark = [
    pytest.mark.temporal,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium"),
    pytest.mark.timeout(300),
]
PEOPLE = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"

WORKSPACE = """\
timezone: UTC
locales: [en]
postal_address: Example Ltd, 1 Garden Street, Yerevan
topics: {newsletter: News}
senders: {email: {address: hello@example.com}}
tracking: {clicks: true, opens: true}
allow: [example.com]
"""
JOURNEY = """\
journey: curious
trigger: {event: lead.created}
messages: {topic: newsletter}
steps:
  - email: hello
  # dripline: allow unsure-opens because this is about opens
  - wait_for: email.opened
    as: look
  - wait_for: email.clicked
    when: "'/pricing' in event.link"
    since: start
    then:
      - email: {template: more, subject: "You looked at {{ event.link }}"}
"""
HELLO = """\
---
subject: Hello
---
<html><body><p>Our <a id="docs" href="SHOP/docs">docs</a> and
<a id="pricing" href="SHOP/pricing?plan=team&amp;utm_source=dripline">prices</a>.
<a href="{{ unsubscribe_link() }}">Leave</a></p></body></html>
"""
MORE = "---\nsubject: More\n---\nMore.\n\n[Leave]({{ unsubscribe_link() }})\n"


class Shop:
    """Where the links of the message lead; it remembers who came for what."""

    def __init__(self) -> None:
        asked: list[str] = []

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>Shop</title><h1>Shop</h1>")

            def log_message(self, *_: Any) -> None: ...

        self.asked = asked
        self.server = HTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shop() -> Iterator[Shop]:
    opened = Shop()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


class Everything:
    """`dripline up` over a workspace of the test's own."""

    def __init__(self, folder: Path, shop: Shop) -> None:
        for path, text in {
            "dripline.yaml": WORKSPACE,
            "journeys/curious.yaml": JOURNEY,
            "templates/hello.en.html": HELLO.replace("SHOP", shop.url),
            "templates/more.en.md": MORE,
        }.items():
            file = folder / "workspace" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "up.log"
        left_out = ("TEMPORAL_", "DRIPLINE_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        environment |= {"DRIPLINE_DATA": str(folder), "DRIPLINE_WORKSPACE": str(folder / "workspace")}
        environment |= {"DRIPLINE_PUBLIC_URL": self.url}
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "dripline", "up", "--port", str(port)]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        self.wait(lambda: "Dripline is up" in self.log.read_text(), "nothing is up")
        self.store = Store(f"sqlite:///{folder / 'dripline.db'}")

    def wait(self, until: Callable[[], object], otherwise: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"{otherwise}\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table)))

    def mail(self) -> list[Any]:
        return sorted(self.rows(schema.mailbox), key=lambda row: row.at)

    def events(self) -> list[str]:
        return [row.name for row in self.rows(schema.events)]


@pytest.fixture
def everything(tmp_path: Path, shop: Shop) -> Iterator[Everything]:
    started = Everything(tmp_path, shop)
    yield started
    started.process.terminate()
    started.process.wait(60)
    started.store.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    window = Browser(tmp_path / "browser", f"--user-agent={PEOPLE}")
    yield window
    window.close()


def test_who_opens_the_message_and_clicks_moves_the_journey_on(
    everything: Everything, shop: Shop, browser: Browser, tmp_path: Path
) -> None:
    lead = {"email": "ani@example.com", "consent": {"email": True}}
    assert httpx.put(f"{everything.url}/v1/leads", json=lead).status_code == 201
    everything.wait(everything.mail, "no message came")
    letter = tmp_path / "letter.html"
    letter.write_text(everything.mail()[0].html, encoding="utf-8")

    assert httpx.get(f"{everything.url}/c/none").status_code == 404
    browser.look(letter.as_uri(), 600)
    everything.wait(lambda: "email.opened" in everything.events(), "the open was not told")
    assert browser.evaluate("document.images.length") == 1

    browser.evaluate("document.getElementById('docs').click() || 1")
    everything.wait(lambda: shop.asked, "the link led nowhere")
    assert shop.asked[0] == "/docs"
    browser.look(letter.as_uri(), 600)
    assert len(everything.mail()) == 1, "another link was meant"
    browser.evaluate("document.getElementById('pricing').click() || 1")
    everything.wait(lambda: len(everything.mail()) == 2, "the journey did not go on")
    assert "/pricing?plan=team&utm_source=dripline" in shop.asked

    [first, second] = everything.mail()
    assert (first.subject, second.subject) == ("Hello", f"You looked at {shop.url}/pricing")
    hits = {(row.kind, row.link, row.machine) for row in everything.rows(schema.hits)}
    assert hits == {
        ("open", None, None),
        ("click", f"{shop.url}/docs", None),
        ("click", f"{shop.url}/pricing", None),
    }
    assert everything.events().count("email.opened") == 1
    assert PEOPLE not in str([tuple(row) for row in everything.rows(schema.hits)])
    everything.wait(
        lambda: [run.outcome for run in everything.rows(schema.runs)] == ["finished"], "the run did not end"
    )
