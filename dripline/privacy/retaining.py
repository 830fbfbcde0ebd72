"""Retention: what has been kept for as long as the workspace says goes by itself, a batch at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from dripline.clock import MachineClock, machine_clock
from dripline.engine.calendar import add_months
from dripline.language.plan import Duration
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.outliving import Kind, of_leads, of_rows, silent_since
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.schema import leads

BATCH = 200
"""Rows in one transaction: few enough to hold other writers up for moments only."""

BY = "retention"
"""Who the audit log says did it."""


@dataclass(frozen=True)
class Outlook:
    """Of one kind: for how long it is kept, how much of it would go now, and when the next would (house time)."""

    name: str
    kept: Duration
    due: int
    next_at: datetime | None


class Keeper:
    """Carries the workspace's `retention` out. Blocking."""

    def __init__(
        self, store: Store, workspace: Workspace, eraser: Eraser, machine: MachineClock = machine_clock
    ) -> None:
        self._store = store
        self._retention = workspace.retention
        self._eraser = eraser
        self._machine = machine

    def look(self) -> list[Outlook]:
        """What would go now, and when the next would, of every kind that is not kept for good."""
        with self._store.read() as connection:
            rows = [self._look_at(connection, kind, kept) for kind, kept in self._kinds()]
            return rows + list(self._look_at_leads(connection))

    def carry_out(self, seconds: float | None = None) -> dict[str, int]:
        """Let go what is due, for so long at most; how much of each kind. What is left is for the next time."""
        give_up = None if seconds is None else time.monotonic() + seconds
        gone: Counter[str] = Counter()
        for number, name in self._take(give_up):
            gone[name] += number
        counts = {name: number for name, number in gone.items() if number}
        if counts:
            with self._store.write() as connection:
                record_act(connection, "retention", BY, None, self._machine(), **counts)
            self._store.forget()
        return counts

    def _take(self, give_up: float | None) -> Iterator[tuple[int, str]]:
        def is_late() -> bool:
            return give_up is not None and time.monotonic() > give_up

        for kind, kept in self._kinds():
            more = True
            while more and not is_late():
                number, more = self._take_batch(kind, kept)
                yield number, kind.name
        for name, is_meant in of_leads():
            kept_for: Duration | None = getattr(self._retention, name)
            more = kept_for is not None
            while more and kept_for is not None and not is_late():
                number, more = self._let_go(is_meant, kept_for, is_late)
                yield number, name

    def _take_batch(self, kind: Kind, kept: Duration) -> tuple[int, bool]:
        with self._store.write() as connection:
            ids = connection.execute(self._due(connection, kind, kept).limit(BATCH)).scalars().all()
            return (kind.take(connection, ids) if ids else 0), len(ids) == BATCH

    def _let_go(
        self, is_meant: ColumnElement[bool], kept: Duration, is_late: Callable[[], bool]
    ) -> tuple[int, bool]:
        with self._store.read() as connection:
            due = and_(silent_since(self._cutoff(connection, kept)), is_meant)
            ids = connection.execute(select(leads.c.id).where(due).limit(BATCH)).scalars().all()
        number = 0
        for lead_id in ids:
            if is_late():
                return number, False
            number += self._eraser.let_go(lead_id, due)
        return number, len(ids) == BATCH and number > 0

    def _kinds(self) -> Iterator[tuple[Kind, Duration]]:
        for kind in of_rows():
            kept: Duration | None = getattr(self._retention, kind.name)
            if kept is not None:
                yield kind, kept

    def _cutoff(self, connection: Connection, kept: Duration, *, machine_time: bool = False) -> datetime:
        now = self._machine()
        return before(now if machine_time else open_house(connection).clock.to_house(now), kept)

    def _due(self, connection: Connection, kind: Kind, kept: Duration) -> Select[tuple[Any]]:
        cutoff = self._cutoff(connection, kept, machine_time=kind.machine_time)
        return select(kind.key).where(kind.age < cutoff, kind.is_due).order_by(kind.age)

    def _look_at(self, connection: Connection, kind: Kind, kept: Duration) -> Outlook:
        cutoff = self._cutoff(connection, kept, machine_time=kind.machine_time)
        due = select(func.count()).select_from(kind.key.table).where(kind.age < cutoff, kind.is_due)
        oldest = select(func.min(kind.age)).where(kind.age >= cutoff, kind.is_due)
        first = connection.execute(oldest).scalar_one()
        next_at = after(first, kept) if first is not None else None
        return Outlook(kind.name, kept, connection.execute(due).scalar_one(), next_at)

    def _look_at_leads(self, connection: Connection) -> Iterator[Outlook]:
        for name, is_meant in of_leads():
            kept: Duration | None = getattr(self._retention, name)
            if kept is not None:
                silent = silent_since(self._cutoff(connection, kept))
                due = select(func.count()).select_from(leads).where(silent, is_meant)
                yield Outlook(name, kept, connection.execute(due).scalar_one(), None)


def before(moment: datetime, kept: Duration) -> datetime:
    """So long before that moment. Months as the calendar has them, in UTC."""
    local = add_months(moment.astimezone(UTC).replace(tzinfo=None), -kept.months)
    return local.replace(tzinfo=UTC) - timedelta(days=kept.days, seconds=kept.seconds)


def after(moment: datetime, kept: Duration) -> datetime:
    """When what is of that moment has been kept for so long."""
    local = add_months(moment.astimezone(UTC).replace(tzinfo=None), kept.months)
    return local.replace(tzinfo=UTC) + timedelta(days=kept.days, seconds=kept.seconds)


__all__ = ["Keeper", "Outlook"]
