"""The lead that is meant, if it is still there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.refusal import erased_lead, unknown_lead
from dripline.store.leads import lock_survivor, read_lead


def living(connection: Connection, lead_id: str) -> Row[Any]:
    """The row of the lead that this one has become. Raises Refused: unknown (404), erased (410)."""
    return _living(read_lead(connection, lead_id))


def lock_living(connection: Connection, lead_id: str) -> Row[Any]:
    """The same, locked."""
    return _living(lock_survivor(connection, lead_id))


def _living(lead: Row[Any] | None) -> Row[Any]:
    if lead is None:
        raise unknown_lead()
    if lead.erased_at is not None:
        raise erased_lead()
    return lead
