"""Local days, counted by the database: in slots short enough that every zone's days begin with one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Integer, cast, func

SLOT = 900
"""Seconds: offsets of today's zones are whole quarters of an hour."""


def slot_of(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[int]:
    """The number of the slot that a column's time lies in."""
    if connection.dialect.name == "sqlite":
        return cast(func.strftime("%s", column), Integer) // SLOT
    return cast(func.floor(func.extract("epoch", column) / SLOT), Integer)


def day_of(slot: int, zone: ZoneInfo) -> date:
    """On which local day that slot falls."""
    return datetime.fromtimestamp(int(slot) * SLOT, zone).date()
