"""Letting the waits of runs go on whose journey stood still."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from dripline.clock import MachineClock
from dripline.engine.thawing import thawed
from dripline.store.database import Store, lock_lead_and_run
from dripline.store.freezing import Still, standing_still
from dripline.store.house import open_house
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.runs import load_state, note
from dripline.store.schema import runs
from dripline.store.wakes import want_wake


def follow(connection: Connection, lead: Row[Any], run: Row[Any], still: Still, now: datetime) -> None:
    """Put the waits of a run (locked, with its lead) off by as long as its journey stood still."""
    state = load_state(connection, run)
    later = thawed(load_plan(connection, run.plan_hash), state, facts(lead), still.stood, now)
    wait = later.wait
    until = wait.until if wait else run.until
    connection.execute(
        update(runs)
        .where(runs.c.id == run.id)
        .values(
            frozen_for=still.total,
            wait={"began": wait.began.isoformat(), "held": wait.held} if wait else None,
            until=until,
            loops=dict(later.loops),
        )
    )
    if wait is not None:
        detail = {"until": until.isoformat() if until else None, "seconds": still.stood.total_seconds()}
        note(connection, run.id, run.turn, max(now, run.last_at), run.step, "thawed", detail)


def follow_one(store: Store, run_id: str, clock: MachineClock) -> bool:
    """The same in a transaction of its own, and wake the run; False where there is nothing to do any more."""
    with store.write() as connection:
        machine_now = clock()
        lead, run = lock_lead_and_run(connection, run_id)
        if lead is None or run is None or run.ended_at is not None:
            return False
        still = standing_still(connection, run)
        if still.frozen or not still.is_behind:
            return False
        follow(connection, lead, run, still, open_house(connection).clock.to_house(machine_now))
        want_wake(connection, [run_id], machine_now)
        return True
