"""The runs of two leads that become one: who goes on where both are in one journey, and who gets nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from dripline.engine.effects import Outcome
from dripline.store.runs import ended, note
from dripline.store.schema import messages, runs
from dripline.store.wakes import want_wake

LEFT = ("sending", "uncertain", "accepted", "delivered", "bounced")
"""The states of messages that were sent, or may have been."""


def rivals(open_ones: Sequence[Row[Any]], sent: dict[str, int]) -> list[tuple[Row[Any], Row[Any]]]:
    """Pairs of open runs of one journey and key: who goes on, and who ends for it.

    The one with more messages sent goes on; of equal ones the older, then the one with the lesser id.
    """
    places: dict[tuple[str, str | None], list[Row[Any]]] = {}
    for run in sorted(open_ones, key=lambda run: (-sent.get(run.id, 0), run.started_at, run.id)):
        places.setdefault((run.journey, run.key), []).append(run)
    return [(first, other) for first, *others in places.values() for other in others]


def settle(
    connection: Connection, lead_ids: Iterable[str], at: datetime, machine_now: datetime
) -> tuple[dict[str, str], dict[str, int]]:
    """End the runs that have a rival which goes on, and let holdout win; both leads are locked.

    Returns the runs that ended, each with the one that goes on, and those that are of the control group from now on,
    each with its turn.
    """
    of_both = runs.c.lead_id.in_(list(lead_ids))
    all_open = select(runs).where(of_both, runs.c.ended_at.is_(None)).order_by(runs.c.id).with_for_update()
    open_ones = connection.execute(all_open).all()
    pairs = rivals(open_ones, _sent(connection, [run.id for run in open_ones]))
    for goes_on, run in pairs:
        _end(connection, run, goes_on, at)
    gone = {run.id: goes_on.id for goes_on, run in pairs}
    want_wake(connection, list(gone), machine_now)
    held_out = select(runs.c.journey).where(of_both, runs.c.holdout).distinct()
    drawn = set(connection.execute(held_out).scalars())
    joining = [run for run in open_ones if run.journey in drawn and not run.holdout and run.id not in gone]
    for run in joining:
        _hold_out(connection, run, at)
    return gone, {run.id: run.turn for run in joining}


def _sent(connection: Connection, run_ids: Sequence[str]) -> dict[str, int]:
    query = (
        select(messages.c.run_id, func.count().label("number"))
        .where(messages.c.run_id.in_(run_ids), messages.c.state.in_(LEFT), messages.c.notice.is_(False))
        .group_by(messages.c.run_id)
    )
    return {row.run_id: row.number for row in connection.execute(query)}


def _end(connection: Connection, run: Row[Any], goes_on: Row[Any], at: datetime) -> None:
    at = max(at, run.last_at)
    outcome = Outcome("merged", "the other run of the same person goes on")
    connection.execute(
        update(runs)
        .where(runs.c.id == run.id)
        .values(**ended(outcome, at), last_at=at, wait=None, until=None, parked_reason=None, held_at=None)
    )
    detail = {"outcome": outcome.kind, "reason": outcome.reason, "goes_on": goes_on.id}
    note(connection, run.id, run.turn, at, run.step, "ended", detail)


def _hold_out(connection: Connection, run: Row[Any], at: datetime) -> None:
    """From now on it sends nothing, and what it has queued does not leave either."""
    connection.execute(update(runs).where(runs.c.id == run.id).values(holdout=True))
    connection.execute(
        update(messages)
        .where(messages.c.run_id == run.id, messages.c.state == "queued")
        .values(skipped_at=at, reason="holdout")
    )
    note(connection, run.id, run.turn, max(at, run.last_at), run.step, "held-out", {})
