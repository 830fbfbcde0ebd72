"""Identifying a lead as tracking calls do: it is made where nobody knows it, and nothing that is said is refused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from dripline.ingest.change import LeadChange
from dripline.ingest.leads import Upserted, upsert
from dripline.ingest.merging.merge import Cause


def identify(
    connection: Connection,
    change: LeadChange,
    now: datetime,
    machine_now: datetime,
    *,
    cause: Cause = "identify",
) -> Upserted:
    """The one lead that is meant by what is said, made, merged and changed where that is due; the lead is locked.

    Ten first calls at once make one lead. Where identities belong to people that are not one, what names a person
    best decides (external id, e-mail address, phone number), and the others stay with whom they belong to
    (`apart`). Raises Refused: an erased lead (410), an unknown `change.id` (404), too busy (409).
    """
    return upsert(connection, change, now, machine_now, strict=False, cause=cause)


__all__ = ["identify"]
