"""What the machine and its processes spend, as Linux tells it in /proc."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """What a process has spent since it began, in user and kernel mode together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK  # utime, stime: proc(5)


def memory(pid: int) -> int:
    """Bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def busy_seconds() -> float:
    """What all processes of the machine have spent since it began."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / _TICK


def file_bytes(path: Path) -> int:
    """What a SQLite database holds, its log included."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        [[pages]] = connection.execute("PRAGMA page_count").fetchall()
        [[free]] = connection.execute("PRAGMA freelist_count").fetchall()
        [[size]] = connection.execute("PRAGMA page_size").fetchall()
    finally:
        connection.close()
    return int(pages - free) * int(size)


@dataclass(frozen=True)
class Load:
    """How busy the machine is: processes that run or want to, averaged over 1, 5 and 15 minutes."""

    one: float
    five: float
    fifteen: float

    def __str__(self) -> str:
        return f"{self.one:.1f}, {self.five:.1f}, {self.fifteen:.1f}"


def load() -> Load:
    """The machine's load now."""
    return Load(*os.getloadavg())


def described() -> dict[str, Any]:
    """The machine, as far as figures depend on it."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": model[0] if model else platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
