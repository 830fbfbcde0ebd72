"""Journeys that are paused with their clock: their runs take no turns, and their waits stand still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from dripline.store.schema import journeys, runs

_FROZEN = select(journeys.c.frozen_at, journeys.c.frozen_for).where(journeys.c.id == bindparam("journey"))

STANDS_STILL = select(journeys.c.id).where(journeys.c.frozen_at.is_not(None))
"""Ids of the journeys that stand still."""


def freeze(connection: Connection, journey: str, at: datetime) -> bool:
    """Let the clock of a paused journey stand still; False where it does already."""
    still = update(journeys).where(
        journeys.c.id == journey, journeys.c.paused_at.is_not(None), journeys.c.frozen_at.is_(None)
    )
    return connection.execute(still.values(frozen_at=at)).rowcount == 1


def thaw(connection: Connection, journey: str, at: datetime) -> timedelta | None:
    """Let the clock go on; how long it stood still, None where it did not. Each run's waits follow on its own."""
    query = select(journeys.c.frozen_at).where(journeys.c.id == journey).with_for_update()
    since: datetime | None = connection.execute(query).scalar_one_or_none()
    if since is None:
        return None
    stood = max(at - since, timedelta())
    connection.execute(
        update(journeys)
        .where(journeys.c.id == journey)
        .values(frozen_at=None, frozen_for=journeys.c.frozen_for + stood.total_seconds())
    )
    return stood


@dataclass(frozen=True)
class Still:
    """How a run stands to its journey's clock."""

    since: datetime | None
    """Since when that stands still, if it does."""
    total: float
    """Seconds that it stood still before, all times together."""
    known: float
    """Those that the run's waits know of."""

    @property
    def frozen(self) -> bool:
        """Whether it stands still now."""
        return self.since is not None

    @property
    def is_behind(self) -> bool:
        """Whether the run's waits have to be put off."""
        return self.known < self.total

    @property
    def stood(self) -> timedelta:
        """By how much."""
        return timedelta(seconds=self.total - self.known)


def standing_still(connection: Connection, run: Row[Any]) -> Still:
    """Whether the run's journey stands still, or did without the run's waits knowing of it."""
    row = connection.execute(_FROZEN, {"journey": run.journey}).one_or_none()
    if row is None:
        return Still(None, run.frozen_for, run.frozen_for)
    return Still(row.frozen_at, row.frozen_for, run.frozen_for)


def clock_of(connection: Connection, journey: str, now: datetime) -> datetime:
    """What time it is in the journey: `now`, or when it was stopped."""
    row = connection.execute(_FROZEN, {"journey": journey}).one_or_none()
    stopped: datetime | None = row.frozen_at if row is not None else None
    return stopped or now


def behind(connection: Connection, limit: int, journey: str | None = None, after: str = "") -> list[str]:
    """Ids of open runs (of a journey) whose waits do not know yet how long it stood still, in their order."""
    query = (
        select(runs.c.id)
        .join(journeys, journeys.c.id == runs.c.journey)
        .where(
            runs.c.ended_at.is_(None),
            journeys.c.frozen_at.is_(None),
            journeys.c.frozen_for > 0,
            runs.c.frozen_for < journeys.c.frozen_for,
            runs.c.id > after,
            *(() if journey is None else (runs.c.journey == journey,)),
        )
        .order_by(runs.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
