"""How activities fail: with a code of ours and nothing else, so that no history holds personal data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from dripline.store.database import UNAVAILABLE

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)


def not_yet(code: str, message_id: str, again_in: float | None = None) -> ApplicationError:
    """An ordinary "later": Temporal tries again, after `again_in` seconds where that is known."""
    delay = timedelta(seconds=again_in) if again_in is not None else None
    benign = ApplicationErrorCategory.BENIGN  # nothing to log as an error
    return ApplicationError(code, message_id, type=code, next_retry_delay=delay, category=benign)


def coded(function: Callable[P, R]) -> Callable[P, R]:
    """Let nothing out of an activity but ApplicationErrors that carry a code; the cause goes to the log."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ApplicationError, CancelledError):  # of the SDK: thrown into our thread at a time limit
            raise
        except UNAVAILABLE as problem:
            log.warning("store unavailable", activity=function.__name__, error=type(problem).__name__)
            failure = ApplicationError("store-unavailable", type="store-unavailable")
        except Exception as problem:
            log.exception("activity failed", activity=function.__name__, error=type(problem).__name__)
            failure = ApplicationError("internal", type=f"internal.{type(problem).__name__}")
        raise failure from None

    return wrapper
