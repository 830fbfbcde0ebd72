"""The embedded Temporal server: the official `temporal` program in its development mode, on a file."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
from pathlib import Path

DEFAULT_PORT = 7233
ADDRESS_FILE = "temporal.address"
"""In the data folder: where the embedded server was started last."""
RETENTION = "720h"  # the program forgets a finished run after a day otherwise

_PRAGMAS = (
    "journal_mode=wal",
    "synchronous=normal",  # the file is disposable: the store alone is the truth
    "wal_autocheckpoint=4000",
)
_DYNAMIC_CONFIG = (
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "matching.enableFairness=true",
    # The server reads timers that are near ahead of time, and what is set meanwhile waits for its next look: with
    # its own second every shorter wait takes a second, which is three days where `--day` makes days short.
    'history.timerProcessorMaxTimeShift="20ms"',
)


def find_temporal() -> Path | None:
    """The `temporal` program: the one installed beside this Python, else the one on the PATH."""
    beside = sysconfig.get_path("scripts")
    found = shutil.which("temporal", path=beside) or shutil.which("temporal")
    return Path(found) if found else None


def server_command(
    program: Path,
    *,
    port: int = DEFAULT_PORT,
    database: Path | None = None,
    ui_port: int | None = None,
) -> list[str | Path]:
    """The embedded server's command line. Without a file it is in memory, without a UI port no pages."""
    command: list[str | Path] = [program, "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warn"]
    for value in _DYNAMIC_CONFIG:
        command += ["--dynamic-config-value", value]
    if database is not None:
        command += ["--db-filename", database]
        for pragma in _PRAGMAS:
            command += ["--sqlite-pragma", pragma]
    return command + (["--headless"] if ui_port is None else ["--ui-port", str(ui_port)])


async def set_retention(program: Path, address: str) -> bool:
    """Let namespace `default` keep finished runs for RETENTION; False while the server does not answer."""
    command = ["operator", "namespace", "update", "-n", "default", "--retention", RETENTION]
    asking = await asyncio.create_subprocess_exec(
        program,
        *command,
        "--address",
        address,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        # An address, a key or a certificate for another server is none of the embedded one's business.
        env={name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")},
    )
    return await asking.wait() == 0


__all__ = ["ADDRESS_FILE", "DEFAULT_PORT", "RETENTION", "find_temporal", "server_command", "set_retention"]
