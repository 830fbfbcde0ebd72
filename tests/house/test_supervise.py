from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dripline.stack.supervise import Program, StartFailed, Supervisor

WRITES_ITS_ID = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
print("here I am", flush=True)
time.sleep(60)
"""
IGNORES_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + WRITES_ITS_ID
WITH_A_CHILD = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]])"
    + WRITES_ITS_ID
)


def _program(name: str, ids: Path, code: str = WRITES_ITS_ID, grace: float = 5.0) -> Program:
    async def ready() -> bool:
        return bool(_ids(ids))

    return Program(name, [sys.executable, "-c", code, str(ids), WRITES_ITS_ID], ready, grace=grace)


def _ids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
        # A zombie that nobody has waited for yet counts as dead.
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def _until(true: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def _nothing() -> None: ...


def test_programs_start_in_order_and_stop_together(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    supervisor = Supervisor([_program("one", first), _program("second", second)])
    seen: list[int] = []

    async def when_ready() -> None:
        seen.extend(_ids(first) + _ids(second))
        supervisor.stop()

    asyncio.run(supervisor.run(when_ready))
    assert len(seen) == 2
    assert not any(_alive(number) for number in seen)
    assert "one    │ here I am\n".encode() in capfdbinary.readouterr().err


def test_what_dies_is_started_again(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    supervisor = Supervisor([_program("one", ids)])

    async def kill_it() -> None:
        os.kill(_ids(ids)[0], signal.SIGKILL)
        await _until(lambda: len(_ids(ids)) == 2)
        supervisor.stop()

    asyncio.run(supervisor.run(kill_it))
    assert not any(_alive(number) for number in _ids(ids))


def test_what_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    supervisor = Supervisor([_program("deaf", ids, IGNORES_TERM, grace=0.3)])

    async def stop() -> None:
        supervisor.stop()

    asyncio.run(supervisor.run(stop))
    assert not _alive(_ids(ids)[0])


def test_a_childs_own_children_end_with_it(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    supervisor = Supervisor([_program("family", ids, WITH_A_CHILD)])

    async def stop() -> None:
        await _until(lambda: len(_ids(ids)) == 2)
        supervisor.stop()

    asyncio.run(supervisor.run(stop))
    asyncio.run(_until(lambda: not any(_alive(number) for number in _ids(ids))))


def test_a_program_that_cannot_start_stops_the_others(tmp_path: Path) -> None:
    ids = tmp_path / "ids"

    async def never() -> bool:
        return False

    broken = Program("broken", [sys.executable, "-c", "raise SystemExit(4)"], never)
    with pytest.raises(StartFailed, match="broken ended with code 4"):
        asyncio.run(Supervisor([_program("one", ids), broken]).run(_nothing))
    assert not _alive(_ids(ids)[0])


def test_a_program_that_ends_by_itself_at_once_is_not_tried_for_ever(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    broken = Program("broken", [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(StartFailed, match="broken ended with code 1"):
        asyncio.run(Supervisor([_program("one", ids), broken]).run(_nothing))
    assert not _alive(_ids(ids)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    code = f"""
import asyncio, sys
from dripline.stack.supervise import Program, Supervisor
async def ready(): print("ready", flush=True)
program = Program("one", [sys.executable, "-c", {WRITES_ITS_ID!r}, {str(ids)!r}])
asyncio.run(Supervisor([program]).run(ready))
"""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    asyncio.run(_until(lambda: len(_ids(ids)) == 1))
    supervisor.kill()
    supervisor.communicate()
    asyncio.run(_until(lambda: not _alive(_ids(ids)[0])))
