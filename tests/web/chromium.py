"""A real browser without a window, driven over the DevTools protocol: how wide a page is, and what it complains of."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_PATIENCE = 60.0
"""Seconds that it may take to start."""


class Browser:
    """One window. `complaints` has what the console said of the pages since they were last read."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [str(PROGRAM), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        self._process = subprocess.Popen(
            [*command, *options, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.complaints: list[str] = []
        self._asked = 0
        self._held = ExitStack()
        self._wire = self._connect(folder / "DevToolsActivePort")
        for domain in ("Page", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def look(self, url: str, width: int, *, dark: bool = False) -> Any:
        """Open a page in a window that is so many pixels wide; what `width` and `seen` are then, and its text."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.navigate", url=url)
        self._until("Page.loadEventFired")
        return self.evaluate(
            "({width: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth,"
            " text: document.body.innerText, ground: getComputedStyle(document.body).backgroundColor})"
        )

    def evaluate(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"]["value"]

    def close(self) -> None:
        """End it."""
        self._held.close()
        self._process.terminate()
        self._process.wait(10)

    def _connect(self, where: Path) -> ClientConnection:
        deadline = time.monotonic() + _PATIENCE
        while not where.exists() or len(where.read_text().split()) < 2:
            assert time.monotonic() < deadline, "the browser does not start"
            time.sleep(0.05)
        port = where.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            [page] = [one for one in json.load(answer) if one["type"] == "page"]
        return self._held.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None))

    def _call(self, method: str, **given: Any) -> Any:
        self._asked += 1
        self._wire.send(json.dumps({"id": self._asked, "method": method, "params": given}))
        while True:
            said = self._next()
            if said.get("id") == self._asked:
                assert "error" not in said, said
                return said["result"]

    def _until(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> Any:
        said = json.loads(self._wire.recv(timeout=_PATIENCE))
        if said.get("method") == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(said["params"]["exceptionDetails"]["text"])
        return said
