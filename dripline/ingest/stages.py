"""A change of stage, told to whoever listens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from dripline.ingest.recording import record
from dripline.ingest.staging import StageChange, keep_stage
from dripline.store.events import Event


def follow_stage(
    connection: Connection, lead_id: str, change: StageChange, at: datetime, machine_now: datetime
) -> tuple[Event, ...]:
    """Keep the change of a lead's stage, which is written already, and tell of it; the events. The lead is locked."""
    told = keep_stage(connection, lead_id, change, at)
    for event in told:
        record(connection, event, machine_now)
    return told


__all__ = ["StageChange", "follow_stage"]
