"""The web process as it really runs: `dripline serve` on a loopback port, to be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from dripline.stack.children import die_with_parent
from tests.temporal_server import free_port

KEY = "sesame"
"""The API key of the servers of tests."""
ELSEWHERE = {"X-Forwarded-For": "198.51.100.7"}
"""With this header a caller counts as one from another machine."""
_PATIENCE = 60.0
"""Seconds within which it must answer."""


class Served:
    """`dripline serve` over a workspace and a store. Temporal is away, which only delays what is set going."""

    def __init__(
        self, folder: Path, workspace: Path, store_url: str, more: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")},
            "TEMPORAL_CONFIG_FILE": str(folder / "none.toml"),
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "DRIPLINE_DATA": str(folder),
            "DRIPLINE_WORKSPACE": str(workspace),
            "DRIPLINE_DATABASE_URL": store_url,
            "DRIPLINE_PORT": str(self.port),
            "DRIPLINE_API_KEY": KEY,
            "DRIPLINE_LOG_FORMAT": "json",
            **(more or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill(signal.SIGTERM)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dripline", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(),
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill it as a power cut would, or with that signal."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False
