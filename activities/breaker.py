"""A circuit breaker that only counts: it never stands between a call and its answer.

(`pybreaker` makes calls one at a time under its lock, and may answer with an error of its own in place of
the call's. Here that error is what tells a message that was surely not taken from one that may have been.)
"""

from __future__ import annotations

import threading

TRIPS_AFTER = 3
"""Failures in a row that open the breaker."""


class Breaker:
    """Closed while its provider is well. Opens after failures in a row, closes at the first success."""

    def __init__(self) -> None:
        self._failures = 0
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether the provider seems to be well."""
        return self._failures < TRIPS_AFTER

    def succeeded(self) -> None:
        """The provider answered as it should."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The provider could not be reached, refused for now, or did not answer."""
        with self._lock:
            self._failures += 1
