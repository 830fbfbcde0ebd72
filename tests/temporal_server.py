"""The embedded Temporal server, for tests that need a real one or want to kill it."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from dripline.stack.children import die_with_parent
from dripline.stack.temporal import find_temporal, server_command


class NoTemporal(Exception):
    """No Temporal server program can be had on this machine."""


class TemporalServer:
    """`start()` it; the same port and file serve again after `kill()`. Without a file it is in memory."""

    def __init__(self, port: int | None = None, db_filename: Path | None = None) -> None:
        program = find_temporal()
        if program is None:
            raise NoTemporal("no `temporal` in the environment or on the PATH")
        self.program = program
        self.port = port or free_port()
        self.db_filename = db_filename
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as this object

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it has been started and is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, or start again; returns when the namespace `default` answers."""
        command = server_command(self.program, port=self.port, database=self.db_filename)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent(),
        )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop as a power cut would."""
        self._end(signal.SIGKILL)

    def delete_file(self) -> None:
        """Lose everything that it knew. Kill it first."""
        if self.db_filename is not None:
            for path in self.db_filename.parent.glob(self.db_filename.name + "*"):
                path.unlink()

    def _end(self, signal_number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait(30)
            self._process = None

    def _wait_until_ready(self) -> None:
        ask = [str(self.program), "operator", "namespace", "describe", "default", "--address", self.address]
        deadline = time.monotonic() + 60
        while subprocess.run(ask, capture_output=True, check=False).returncode:
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                raise RuntimeError(f"Temporal did not start:\n{self._log.read().decode()[-4000:]}")
            time.sleep(0.1)


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
