"""Values of expressions as plain JSON, and back: a run remembers dates as dates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from dripline.language.expressions import Empty, EvaluationError

_DATE, _TIME = "$date", "$time"
_MAX_DEPTH = 10


def kept(value: Any, depth: int = 0) -> Any:
    """The value as JSON; Empty is null. Raises EvaluationError for what cannot be kept (a length of time)."""
    if value is Empty or value is None or isinstance(value, bool | str | int):
        return None if value is Empty else value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        return {_TIME: value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {_DATE: value.isoformat()}
    if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
        return [kept(item, depth + 1) for item in value]
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {str(name): kept(item, depth + 1) for name, item in value.items()}
    raise EvaluationError("cannot-be-kept")


def restored(value: Any) -> Any:
    """What `kept` kept."""
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        [(name, item)] = value.items()
        if name == _TIME and isinstance(item, str):
            return datetime.fromisoformat(item)
        if name == _DATE and isinstance(item, str):
            return date.fromisoformat(item)
    return {name: restored(item) for name, item in value.items()}
