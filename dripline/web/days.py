"""Days as callers write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _written(value: Any) -> Any:
    """As ISO 8601 writes them; pydantic would take numbers for seconds since 1970."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "no day")
    return value


Day = Annotated[date, BeforeValidator(_written)]
"""A day: `2026-03-02`."""

__all__ = ["Day"]
