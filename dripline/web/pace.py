"""How often somebody may ask: counted here, in this process's memory."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


@dataclass(frozen=True)
class Turn:
    """Whether somebody may ask now, and what is left to them."""

    per_minute: int
    left: int
    wait: int
    """Seconds until they may ask; 0: now, and that was counted."""

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers says."""
        told = {
            "RateLimit-Policy": f'"minute";q={self.per_minute};w=60',
            "RateLimit": f'"minute";r={self.left};t={self.wait or 60}',
        }
        return {**told, "Retry-After": str(self.wait)} if self.wait else told


class Pace:
    """So many requests a minute for each caller, by a sliding window."""

    def __init__(self) -> None:
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait(self, per_minute: int, *who: str) -> int:
        """Seconds until the caller may ask; 0: now, and that was counted."""
        item = RateLimitItemPerMinute(per_minute)
        if self._window.hit(item, *who):
            return 0
        reset = self._window.get_window_stats(item, *who).reset_time
        return max(1, math.ceil(reset - time.time()))

    def turn(self, per_minute: int, *who: str) -> Turn:
        """The same, with how much is left to the caller."""
        wait = self.wait(per_minute, *who)
        left = (
            0 if wait else self._window.get_window_stats(RateLimitItemPerMinute(per_minute), *who).remaining
        )
        return Turn(per_minute, left, wait)
