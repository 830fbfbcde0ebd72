"""How often somebody may ask: counted here, in this process's memory."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


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
