"""What people did to the whole installation: who, when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dripline.store.schema import audit


def record_act(
    connection: Connection, what: str, by: str | None, why: str | None, machine_now: datetime, **detail: Any
) -> None:
    """Keep what somebody did, in the transaction that does it. `detail` holds counts and ids, no personal data."""
    connection.execute(insert(audit).values(at=machine_now, what=what, by=by, why=why, detail=detail))


def last_act(connection: Connection, what: str) -> Row[Any] | None:
    """The last time that somebody did that: `at` (machine time), `by`, `why`, `detail`."""
    query = select(audit).where(audit.c.what == what).order_by(audit.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()
