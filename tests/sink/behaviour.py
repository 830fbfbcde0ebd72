"""What the sink does with a request to send: a script first, then a choice, then a seeded mix, else it accepts."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from tests.sink.taken import Posted


@dataclass(frozen=True)
class Do:
    """What becomes of one request."""

    take: bool
    status: int | None
    """The answer's status; 0: the provider's word for success; None: the connection is dropped unanswered."""
    code: int | None = None
    """Twilio's error code, or None for a plain one."""
    wait: float = 0.0
    """Seconds before anything is decided."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    """The answer's body instead of the provider's own."""
    drip: float = 0.0
    """Seconds between one byte of the answer's body and the next."""


def accept() -> Do:
    """Take it and say so."""
    return Do(take=True, status=0)


def slow(seconds: float) -> Do:
    """Take it after a while, whether or not anybody still waits for the answer."""
    return Do(take=True, status=0, wait=seconds)


def refuse(status: int = 400, code: int | None = None) -> Do:
    """Refuse it as documented: SendGrid by status, Twilio by status and error code."""
    return Do(take=False, status=status, code=code)


def throttle(retry_after: float | str | None = 1) -> Do:
    """429, with `Retry-After` in seconds or as a date."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Do(take=False, status=429, code=20429, headers=headers)


def fail(status: int = 500, taken: bool = False) -> Do:
    """Answer 5xx, having taken it or not: nobody can tell from outside."""
    return Do(take=taken, status=status, code=20500)


def accept_and_drop() -> Do:
    """Take it and hang up without a word."""
    return Do(take=True, status=None)


def drop() -> Do:
    """Hang up without having taken it."""
    return Do(take=False, status=None)


def garble() -> Do:
    """Take it and answer with something that is not the provider's."""
    return Do(take=True, status=200, body=b"<html>Welcome to the hotel's network</html>")


def trickle(every: float = 0.2) -> Do:
    """Take it and answer one byte at a time: no single read ever times out."""
    return Do(take=True, status=0, body=b" " * 200, drip=every)


NAMED: Mapping[str, Do] = {
    "accept": accept(),
    "slow": slow(3.0),
    "refuse": refuse(),
    "throttle": throttle(),
    "fail": fail(),
    "fail-taken": fail(taken=True),
    "accept-and-drop": accept_and_drop(),
    "drop": drop(),
}
"""For mixes on the command line."""


class Behaviour:
    """Decides about each request. Safe to use from many threads; may be swapped while the sink runs.

    `script` is used up in the order in which requests come. `choose` may answer None to leave the decision to
    `mix`: pairs of a probability and what then happens; the rest is accepted. The mix depends on the seed, the
    message's key and the number of the try alone, not on the order of requests.
    """

    def __init__(
        self,
        script: Iterable[Do] = (),
        *,
        choose: Callable[[Posted], Do | None] | None = None,
        mix: Iterable[tuple[float, Do]] = (),
        seed: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        self._script = deque(script)
        self._choose, self._mix, self._seed = choose, tuple(mix), seed

    def decide(self, posted: Posted) -> Do:
        with self._lock:
            if self._script:
                return self._script.popleft()
        if self._choose is not None and (chosen := self._choose(posted)) is not None:
            return chosen
        drawn = random.Random(f"{self._seed} {posted.key} {posted.nth}").random()
        for probability, do in self._mix:
            drawn -= probability
            if drawn < 0:
                return self._for(do, posted)
        return accept()

    def _for(self, do: Do, posted: Posted) -> Do:
        refusal = do.status == 400 and do.code is None
        return replace(do, code=21211) if refusal and posted.provider == "twilio" else do
