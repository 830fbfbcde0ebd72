"""Lines that somebody types at a terminal, while other things go on."""

from __future__ import annotations

import asyncio
import os
import sys

END = "q"
"""What the end of the input means."""


class Keyboard:
    """Standard input, a line at a time. Made within a running loop; `close` it there."""

    def __init__(self) -> None:
        self._number = sys.stdin.fileno()
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._begun = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._number, self._read)

    async def line(self, seconds: float | None) -> str | None:
        """The next line, without its end; None if there is none in so many seconds. None: wait for ever."""
        try:
            return await asyncio.wait_for(self._lines.get(), seconds)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._number)

    def _read(self) -> None:
        try:
            typed = os.read(self._number, 4096)
        except OSError:  # the terminal is gone
            typed = b""
        if not typed:
            self.close()
            self._lines.put_nowait(END)
            return
        *lines, self._begun = (self._begun + typed).split(b"\n")
        for line in lines:
            self._lines.put_nowait(line.decode(errors="replace").strip())


__all__ = ["END", "Keyboard"]
