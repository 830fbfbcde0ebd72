"""Which runs want waking. A wake-up is wanted in the transaction that gives the reason, and done outside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from dripline.store.schema import runs


@dataclass(frozen=True)
class Wake:
    """A run that wants waking; `wanted` tells this wish from later ones."""

    run: str
    journey: str
    wanted: int
    first: bool
    """Whether the run has never been told anything: then its workflow has only to be started."""


def want_wake(connection: Connection, run_ids: Sequence[str], machine_now: datetime) -> int:
    """Let these runs be woken soon, less those that somebody is busy with; how many there are."""
    ids = _free(connection, run_ids)
    if not ids:
        return 0
    done = connection.execute(
        update(runs)
        .where(runs.c.id.in_(ids))
        .values(wake_wanted=runs.c.wake_wanted + 1, wake_wanted_at=machine_now)
    )
    return done.rowcount


def wanted(connection: Connection, limit: int) -> list[Wake]:
    """The runs that want waking, those that wait longest first."""
    rows = connection.execute(
        select(runs.c.id, runs.c.journey, runs.c.wake_wanted, runs.c.turn)
        .where(runs.c.wake_wanted > runs.c.wake_done)
        .order_by(runs.c.wake_wanted_at)
        .limit(limit)
    )
    return [
        Wake(row.id, row.journey, row.wake_wanted, row.turn == 0 and row.wake_wanted == 1) for row in rows
    ]


def wakes_done(connection: Connection, wakes: Sequence[Wake]) -> None:
    """These wishes were fulfilled; later ones of the same runs remain, and those of runs that are locked."""
    fulfilled = {wake.run: wake.wanted for wake in wakes}
    rows = [{"run": run, "wanted": fulfilled[run]} for run in _free(connection, list(fulfilled))]
    if rows:
        connection.execute(
            update(runs)
            .where(runs.c.id == bindparam("run"), runs.c.wake_done < bindparam("wanted"))
            .values(wake_done=bindparam("wanted")),
            rows,
        )


def _free(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Lock those of the runs that nobody has locked: who locks many leads' runs must wait for none of them."""
    if not run_ids:
        return []
    query = select(runs.c.id).where(runs.c.id.in_(run_ids)).with_for_update(skip_locked=True)
    return list(connection.execute(query).scalars())


def want_all(connection: Connection, after: str, limit: int, machine_now: datetime) -> list[str]:
    """Let the next `limit` open runs (by id, after `after`) be woken; their ids."""
    ids = list(
        connection.execute(
            select(runs.c.id)
            .where(runs.c.ended_at.is_(None), runs.c.id > after)
            .order_by(runs.c.id)
            .limit(limit)
        ).scalars()
    )
    want_wake(connection, ids, machine_now)
    return ids
