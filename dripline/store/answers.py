"""A person's answers to what waits for one: send it, skip it, try again.

Whoever answers has seen a list that may be old by now: each answer looks again under the lead's lock, and
leaves alone what has been settled, or has become another question, in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from dripline.clock import HouseClock, MachineClock
from dripline.store.audit import record_act
from dripline.store.database import Store, lock_lead, lock_run
from dripline.store.held import Held
from dripline.store.messages import decide, lock_message, requeue
from dripline.store.runs import note
from dripline.store.schema import inbox, runs
from dripline.store.wakes import want_wake

AT_ONCE = 100
"""Answers in one transaction: it holds the locks of that many leads."""

Answer = Callable[[Connection, Sequence[Held], datetime, datetime, str], set[str]]


def answer_each(
    store: Store,
    clock: HouseClock,
    chosen: Sequence[Held],
    answer: Answer,
    machine: MachineClock,
    what: str,
    by: str,
    why: str | None = None,
    advance: Callable[[int], object] = lambda number: None,
) -> int:
    """Answer them, a hundred to a transaction, and keep that it was done; for how many it was."""
    in_order = sorted(chosen, key=lambda one: one.lead_id)
    done = 0
    for start in range(0, len(in_order), AT_ONCE):
        part = in_order[start : start + AT_ONCE]
        machine_now = machine()
        with store.write() as connection:
            done += len(answer(connection, part, clock.to_house(machine_now), machine_now, by))
        advance(len(part))
    if done:
        with store.write() as connection:
            journeys = sorted({one.journey for one in chosen})
            record_act(connection, what, by, why, machine(), number=done, journeys=journeys)
    return done


def send_held(
    connection: Connection,
    chosen: Sequence[Held],
    at: datetime,
    machine_now: datetime,
    by: str | None,
    not_before: Callable[[str], datetime] | None = None,
) -> set[str]:
    """Queue these messages again, and let these runs try again; the ids of those for which it was done.

    `not_before` says, by a lead's id, when its messages may leave (house time).

    Locks their leads first, in the order of their ids. What may have left already is only done where `chosen`
    says so (`may_double`): it may be so since the list was made.
    """
    _lock_leads(connection, chosen)
    done = set()
    for one in chosen:
        if one.is_run:
            if retry(connection, one.id, at, machine_now, by):
                done.add(one.id)
            continue
        row = lock_message(connection, one.id)
        if row is None or row.state not in ("held", "uncertain"):
            continue
        if _has_left(row) and not one.may_double:
            continue
        requeue(connection, row.id, machine_now, not_before(row.lead_id) if not_before else None)
        _want(connection, row.run_id, machine_now)
        detail = {"message": row.id, "template": row.template, "by": by, "was": row.state}
        note(connection, row.run_id, 0, at, row.step, "released", detail)
        done.add(row.id)
    return done


def skip_held(
    connection: Connection,
    chosen: Sequence[Held],
    at: datetime,
    machine_now: datetime,
    by: str | None,
    why: str,
) -> set[str]:
    """Never send these messages, and end these runs where they stand; the ids of those for which it was done."""
    _lock_leads(connection, chosen)
    done = set()
    for one in chosen:
        if one.is_run:
            if _end(connection, one.id, at, machine_now, by, why):
                done.add(one.id)
            continue
        row = lock_message(connection, one.id)
        if row is None or row.state not in ("held", "uncertain"):
            continue
        decide(connection, row.id, machine_now, why, skipped_at=at)
        detail = {"message": row.id, "template": row.template, "reason": why, "by": by}
        note(connection, row.run_id, 0, at, row.step, "skipped", detail)
        done.add(row.id)
    return done


def retry(connection: Connection, run_id: str, at: datetime, machine_now: datetime, by: str | None) -> bool:
    """Let a parked run try again by its next turn; False where it is not parked any more. Lock its lead first."""
    run = lock_run(connection, run_id)
    if run is None or run.ended_at is not None or run.parked_reason is None:
        return False
    # A workflow that has just been started again only takes a turn where something waits in the inbox.
    connection.execute(
        insert(inbox).values(
            run_id=run_id, kind="operator", event_id=None, payload={"ask": "retry"}, received_at=at
        )
    )
    connection.execute(update(runs).where(runs.c.id == run_id).values(held_at=None))
    _want(connection, run_id, machine_now)
    note(connection, run_id, run.turn, at, run.step, "retried", {"by": by})
    return True


def _end(
    connection: Connection, run_id: str, at: datetime, machine_now: datetime, by: str | None, why: str
) -> bool:
    run = lock_run(connection, run_id)
    if run is None or run.ended_at is not None or run.parked_reason is None:
        return False
    at = max(at, run.last_at)
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(ended_at=at, last_at=at, outcome="operator", outcome_reason=why, held_at=None, until=None)
    )
    note(
        connection, run_id, run.turn, at, run.step, "ended", {"outcome": "operator", "reason": why, "by": by}
    )
    _want(connection, run_id, machine_now)  # its workflow ends
    return True


def _want(connection: Connection, run_id: str, machine_now: datetime) -> None:
    """Have the run woken. We hold its lead's lock, so that only a waker or a sweep may hold the run's: wait for it."""
    lock_run(connection, run_id)
    want_wake(connection, [run_id], machine_now)


def _lock_leads(connection: Connection, chosen: Sequence[Held]) -> None:
    for lead_id in sorted({one.lead_id for one in chosen}):
        lock_lead(connection, lead_id)


def _has_left(row: Any) -> bool:
    """Whether an attempt was begun whose end nobody knows."""
    return row.uncertain_at is not None or row.attempt_id is not None
