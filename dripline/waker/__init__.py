"""Makes Temporal's side follow the store's: runs and campaigns that want waking, and schedules that come round."""

from dripline.waker.waking import BEHIND, CONCURRENCY, Waker, start_runs

__all__ = ["BEHIND", "CONCURRENCY", "Waker", "start_runs"]
