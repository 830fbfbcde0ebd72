"""What is kept of webhooks besides what they say: which were taken lately, and how many were refused, and why.

A copy of a request is not taken again. SendGrid signs each of its own tries anew, with the time, so that the same time
and body once more is somebody's copy: refused. Twilio signs no time, and its own second try is equal to the first to
the letter; that one gets the answer that the first got, and is neither recorded nor refused.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Lock

from dripline.clock import MachineClock
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.receipts import is_taken, take_once
from dripline.store.tallies import tally

_AT_MOST_EVERY = 1.0
"""Seconds between two writes of what was refused: a flood of rubbish must not keep the database busy."""


class Notes:
    """Remembers requests and counts refusals, for any thread."""

    def __init__(
        self, store: Store, machine: MachineClock, ticking: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._machine, self._ticking = store, machine, ticking
        self._refused: Counter[str] = Counter()
        self._written_at = float("-inf")
        self._lock = Lock()

    def is_copy(self, provider: str, request: str) -> bool:
        """Whether this very request was taken lately. Raises what the store raises while it is away."""
        with self._store.read() as connection:
            return is_taken(connection, provider, request)

    def took(self, provider: str, request: str) -> None:
        """Remember a request, once what it says is kept."""
        with self._store.write() as connection:
            take_once(connection, provider, request, self._machine())

    def count(self, provider: str, why: str) -> None:
        """Count a request that was not taken. Never raises: the answer does not depend on it."""
        with self._lock:
            self._refused[f"webhook.{provider}.{why}"] += 1
            if self._ticking() - self._written_at < _AT_MOST_EVERY:
                return
            self._written_at = self._ticking()
        self.write()

    def write(self) -> None:
        """Write down what was counted since the last time."""
        with self._lock:
            counted, self._refused = self._refused, Counter()
        if not counted:
            return
        now: datetime = self._machine()
        with suppress(*UNAVAILABLE), self._store.write() as connection:
            for name, times in sorted(counted.items()):
                tally(connection, name, now, times)
