"""The pages behind links as a real browser sees them, scripts and all."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from tests.web.test_links import Post

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVEN = "--enable-automation"
"""Lets the browser say that a program drives it."""

Look = Callable[..., str]

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


@pytest.fixture
def post(store: Store) -> Post:
    """The repository's own journeys, and a lead."""
    return Post(store)


@pytest.fixture
def look(post: Post, tmp_path: Path) -> Iterator[Look]:
    """Opens a page in the browser, lets it settle, and gives its HTML."""
    app = create_app(Settings(_env_file=None), post.house.store, post.workspace, machine=post.house.clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]

    def looked(path: str, *options: str) -> str:
        command = [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/browser",
        ]
        command += ["--virtual-time-budget=5000", "--dump-dom", *options, f"http://127.0.0.1:{port}{path}"]
        return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()

    yield looked
    server.should_exit = True
    thread.join(10)


def test_a_click_is_one_event_and_so_are_two(post: Post, look: Look) -> None:
    run, links = post.gets("subscription.cancelled")
    for _ in range(2):
        assert "<h1>Thank you!</h1>" in look(links[2])
    assert post.events() == [("reason.given", {"reason": "missing"})]
    post.house.advance(run, post.house.clock())
    assert [row.template for row in post.house.messages()] == ["farewell/goodbye", "farewell/founder"]


def test_a_browser_that_a_program_drives_is_left_with_the_button(post: Post, look: Look) -> None:
    _, links = post.gets("subscription.cancelled")
    assert "<button>Send my answer</button>" in look(links[0], DRIVEN)
    assert post.events() == []


def test_nobody_is_taken_off_the_list_but_by_a_press_of_the_button(post: Post, look: Look) -> None:
    _, links = post.gets("lead.created")
    assert "<button>Unsubscribe me</button>" in look(links[-1])
    assert post.row().topics == {}
    post.client.post(links[-1])
    assert post.row().consent == {"email": True, "sms": True}
    assert post.row().topics == {"newsletter": False}
