"""`dripline up` as a user has it: real processes, a real signal, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.temporal_server import free_port

pytestmark = [
    pytest.mark.temporal,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]
ROOT = Path(__file__).parents[2]


class Up:
    """A running `dripline up`."""

    def __init__(self, data: Path, day: str = "2s", **settings: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = data / "up.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        environment |= {"DRIPLINE_DATA": str(data), "DRIPLINE_WORKSPACE": str(ROOT)}
        environment |= {"DRIPLINE_PUBLIC_URL": self.url, **settings}
        command = [
            sys.executable,
            "-m",
            "dripline",
            "up",
            "--day",
            day,
            "--port",
            self.url.rpartition(":")[2],
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=data)
        self.wait(lambda: "Dripline is up" in self.said() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> set[int]:
        return {int(number) for number in _children_of(self.process.pid)}

    def wait(self, until: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)


def _children_of(parent: int) -> Iterator[str]:
    for task in Path(f"/proc/{parent}/task").iterdir():
        yield from (task / "children").read_text().split()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def test_everything_starts_without_any_set_up_and_stops_on_a_signal(up: Up) -> None:
    answer = httpx.get(f"{up.url}/health").json()
    assert (answer["status"], answer["store"], answer["temporal"]) == ("ok", "ok", "ok")
    assert f"open {up.url}" in up.said()
    children = up.children()
    assert len(children) == 3
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(40) == 0
    assert not any(Path(f"/proc/{number}").exists() for number in children)
    assert re.search(r"Traceback|ERROR", up.said()) is None


def test_nothing_outlives_a_supervisor_that_is_killed(up: Up) -> None:
    children = up.children()
    assert len(children) == 3
    up.process.kill()
    up.process.wait()
    up.wait(lambda: not any(Path(f"/proc/{number}").exists() for number in children), 10)
