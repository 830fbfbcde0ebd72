"""Stages as leads went through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dripline.store.schema import stage_changes


def add_change(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep that a lead's stage changed."""
    connection.execute(insert(stage_changes).values(**row))


def stage_history(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """Every change of the lead's stage, oldest first."""
    query = (
        select(stage_changes)
        .where(stage_changes.c.lead_id == lead_id)
        .order_by(stage_changes.c.at, stage_changes.c.id)
    )
    return list(connection.execute(query))
