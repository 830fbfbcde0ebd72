"""The page of a survey as a real browser sees it: a person's look tells of the click, a program's does not."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import uvicorn

from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from tests.ingest.test_surveys import Asking

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
@pytest.mark.parametrize(
    ("options", "picked"),
    [(["--user-agent=Mozilla/5.0 Firefox/128.0"], ["9"]), (["--enable-automation"], [])],
)
def test_only_who_looks_clicks(store: Store, tmp_path: Path, options: list[str], picked: list[str]) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("the page is the same on both databases")
    asking = Asking(store)
    app = create_app(Settings(_env_file=None), store, asking.workspace, machine=asking.house.clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    command = [
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}/browser",
    ]
    command += [
        "--virtual-time-budget=3000",
        "--dump-dom",
        *options,
        f"http://127.0.0.1:{port}{asking.links[9]}",
    ]
    seen = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()
    server.should_exit = True
    thread.join(10)
    assert "<fieldset" in seen
    assert [answer for answer, _ in asking.row().picks or ()] == picked
