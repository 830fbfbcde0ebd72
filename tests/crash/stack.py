"""The whole installation as processes that a test may kill: Temporal, the worker, the web process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from dripline.language.project import load_project
from dripline.stack.children import die_with_parent
from dripline.stack.up import prepare
from dripline.store.database import Store
from tests.sink import Sink
from tests.temporal_server import TemporalServer, free_port

ROOT = Path(__file__).parents[2]
CRASH_WORKSPACE = Path(__file__).parent / "workspace"


class Process:
    """A program that is started again whenever it is not running, unless told to stay down."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: IO[bytes]) -> None:
        self.name = name
        self.starts = 0
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        self.starts += 1
        self._process = subprocess.Popen(
            self._command,
            env=dict(self._environment),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent(),
        )

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """Kill it as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.wait()


class Stack:
    """Everything up over one store and one sink; a watchdog starts again what died."""

    def __init__(
        self,
        folder: Path,
        store_url: str,
        sink: Sink,
        *,
        workspace: Path = CRASH_WORKSPACE,
        settings: Mapping[str, str] | None = None,
        day: timedelta | None = None,
    ) -> None:
        self.folder, self.store_url, self.sink = folder, store_url, sink
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.temporal = TemporalServer(db_filename=folder / "temporal.db")
        self.store = Store(store_url)
        self.log_path = folder / "stack.log"
        self._log = self.log_path.open("ab")
        self._keep_up = threading.Event()
        environment = {
            **{name: value for name, value in os.environ.items() if "PROXY" not in name.upper()},
            "TEMPORAL_ADDRESS": self.temporal.address,
            "DRIPLINE_WORKSPACE": str(workspace),
            "DRIPLINE_DATA": str(folder),
            "DRIPLINE_DATABASE_URL": store_url,
            "DRIPLINE_PORT": str(self.port),
            "DRIPLINE_PUBLIC_URL": self.url,
            "DRIPLINE_LOG_FORMAT": "json",
            "DRIPLINE_SENDGRID_API_KEY": sink.api_key,
            "DRIPLINE_SENDGRID_BASE_URL": sink.url,
            "DRIPLINE_SENDGRID_WEBHOOK_KEY": sink.sendgrid_webhook_key,
            "DRIPLINE_TWILIO_ACCOUNT_SID": sink.account_sid,
            "DRIPLINE_TWILIO_AUTH_TOKEN": sink.auth_token,
            "DRIPLINE_TWILIO_BASE_URL": sink.url,
            **(settings or {}),
        }
        self.worker = Process("worker", [sys.executable, "worker.py"], environment, self._log)
        self.web = Process("web", [sys.executable, "-m", "dripline", "serve"], environment, self._log)
        project = load_project(workspace)
        assert not project.problems, project.problems
        prepare(self.store, project, day)

    def __enter__(self) -> Self:
        self._keep_up.set()
        self._watchdog = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._watchdog.start()
        self.wait_until_served()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keep_up.clear()
        self._watchdog.join()
        for process in (self.worker, self.web):
            process.kill()
        self.temporal.kill()
        self.store.close()
        self._log.close()

    def wait_until_served(self, seconds: float = 60.0) -> None:
        """Wait until the web process answers."""
        give_up = time.monotonic() + seconds
        while True:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > give_up:
                raise TimeoutError(f"the web process does not answer; see its log: {self.tail()}")
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """Kill -9 one of `worker`, `web`, `temporal`; it comes back by itself."""
        if name == "temporal":
            self.temporal.kill()
        else:
            {"worker": self.worker, "web": self.web}[name].kill()

    def tail(self, size: int = 4000) -> str:
        """The end of what the processes logged."""
        return self.log_path.read_bytes()[-size:].decode(errors="replace")

    def _watch(self) -> None:
        # Children die with the thread that started them: this one lives as long as the stack.
        while self._keep_up.is_set():
            if not self.temporal.running:
                with suppress(RuntimeError):  # killed again while it started
                    self.temporal.start()
            for process in (self.worker, self.web):
                process.start()
            time.sleep(0.2)
