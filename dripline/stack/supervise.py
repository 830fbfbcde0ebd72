"""Start some programs, keep each of them running, and stop them all in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from dripline.stack.children import die_with_parent

log = structlog.get_logger("dripline.up")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_SETTLED = 30.0  # seconds of life after which a death is no longer part of a series
_FIRST_BREATHS = 10.0  # seconds in which a program that ends by itself surely cannot run as it is set up
_START_LIMIT = 60.0


class StartFailed(Exception):
    """A program died, or was not ready in time, when everything was being started."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it is ready."""

    name: str
    command: Sequence[str | Path]
    ready: Callable[[], Awaitable[bool]] | None = None
    """Asked at every start, again and again until it says yes; None: ready as soon as it runs."""
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Set for this program beside what we have ourselves; None: taken away."""
    grace: float = 10.0
    """Seconds to stop in after SIGTERM; SIGKILL to its process group then."""
    hush_at_end: bool = False
    """What it says while it is stopped is noise."""


class Supervisor:
    """Programs started in the order given, each after the one before it was ready, and stopped in reverse."""

    def __init__(
        self, programs: Sequence[Program], prefix: bool = True, output: BinaryIO | None = None
    ) -> None:
        """What the programs say goes to `output`, by default to standard error."""
        width = max(len(program.name) for program in programs) if prefix else 0
        output = output or sys.stderr.buffer
        self._kept = [_Kept(program, width, output, self._give_up) for program in programs]
        self._stop = asyncio.Event()
        self._failure: StartFailed | None = None

    async def run(self, when_ready: Callable[[], Awaitable[None]]) -> None:
        """Return when SIGINT or SIGTERM (or `stop`) has stopped everything. Raises StartFailed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        try:
            await self._until_stopped(self._start(when_ready))
        finally:
            for kept in reversed(self._kept):
                await kept.stop()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin to stop; said twice, do not wait for anybody."""
        if self._stop.is_set():
            for kept in self._kept:
                kept.kill()
        self._stop.set()

    def _give_up(self, failure: StartFailed) -> None:
        self._failure = failure
        self._stop.set()

    async def _start(self, when_ready: Callable[[], Awaitable[None]]) -> None:
        for kept in self._kept:
            await kept.start()
        await when_ready()

    async def _until_stopped(self, start: Awaitable[None]) -> None:
        starting = asyncio.ensure_future(start)
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopped
        finally:
            starting.cancel()
            stopped.cancel()
            with contextlib.suppress(asyncio.CancelledError, StartFailed):
                await starting


class _Kept:
    """One program, started again whenever it dies."""

    def __init__(
        self, program: Program, width: int, output: BinaryIO, give_up: Callable[[StartFailed], None]
    ) -> None:
        self._program = program
        self._output = output
        self._give_up = give_up
        self._label = f"{program.name:<{width}} │ ".encode() if width else b""
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        process = await self._spawn()
        await self._wait_until_ready(process)
        self._keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), self._program.grace)
            except TimeoutError:
                log.warning("it did not stop in time", program=self._program.name)
                self.kill()
                await self._process.wait()
        self.kill()  # what it may have started in its process group
        if self._keeper is not None:
            self._keeper.cancel()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1.0)  # its last words
            self._reader.cancel()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        pause, born, first = _FIRST_PAUSE, loop.time(), True
        while True:
            code = await process.wait()
            if self._stopping:
                return
            if first and code > 0 and loop.time() - born < _FIRST_BREATHS:
                self._give_up(StartFailed(f"{self._program.name} ended with code {code} at its start"))
                return
            first = False
            self.kill()
            pause = _FIRST_PAUSE if loop.time() - born > _SETTLED else min(pause * 2, _LONGEST_PAUSE)
            log.warning("it ended; starting it again", program=self._program.name, code=code, seconds=pause)
            await asyncio.sleep(pause)
            process, born = await self._spawn(), loop.time()
            with contextlib.suppress(StartFailed):  # said by its end, or by its silence
                await self._wait_until_ready(process)

    async def _spawn(self) -> asyncio.subprocess.Process:
        environment = {**os.environ, **self._program.environment}
        self._process = await asyncio.create_subprocess_exec(
            *self._program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={name: value for name, value in environment.items() if value is not None},
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=die_with_parent(),
        )
        assert self._process.stdout is not None
        self._reader = asyncio.create_task(self._pass_on(self._process.stdout))
        return self._process

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_LIMIT
        while self._program.ready is not None and not await self._program.ready():
            if process.returncode is not None:
                raise StartFailed(f"{self._program.name} ended with code {process.returncode} at its start")
            if loop.time() > deadline:
                raise StartFailed(f"{self._program.name} was not ready after {_START_LIMIT:.0f} seconds")
            await asyncio.sleep(0.1)

    async def _pass_on(self, lines: asyncio.StreamReader) -> None:
        while chunk := await _line(lines):
            if self._stopping and self._program.hush_at_end:
                continue
            self._output.write(self._label + chunk.rstrip(b"\n") + b"\n")
            self._output.flush()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


async def _line(lines: asyncio.StreamReader) -> bytes:
    """The next line, or what there is of one that is longer than the reader's memory; empty at the end."""
    try:
        return await lines.readline()
    except ValueError:
        return await lines.read(65536)


__all__ = ["Program", "StartFailed", "Supervisor"]
