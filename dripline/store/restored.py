"""What a restored store does not know: what happened between the backup and now. It is held for a person.

A message that was queued may have left since, a call that was due may have been made; a run whose time has
come may have taken that turn, and sent what it sends. All go on when somebody says so, under the same ids
and keys as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, insert, or_, select, update

from dripline.store.audit import last_act, record_act
from dripline.store.house import open_house
from dripline.store.schema import house, inbox, messages, outbox, runs, step_log

MESSAGE = "restored: may have been sent"
RUN = "restored: it may have gone on since the backup"
_BATCH = 1000


@dataclass(frozen=True)
class Review:
    """What is held now, and of when the backup is (machine time; None: unknown)."""

    messages: int
    runs: int
    taken_at: datetime | None


def review(connection: Connection, machine_now: datetime, by: str | None = None) -> Review:
    """Begin a new epoch of the store: hold what may have happened, and forget the Temporal that knew its runs."""
    at = open_house(connection).clock.to_house(machine_now)
    act = last_act(connection, "backup")
    found = Review(
        _hold_messages(connection, at, machine_now), _hold_runs(connection, at), act.at if act else None
    )
    connection.execute(update(house).values(store_epoch=house.c.store_epoch + 1, temporal_id=None))
    record_act(connection, "restore", by, None, machine_now, messages=found.messages, runs=found.runs)
    return found


def _hold_messages(connection: Connection, at: datetime, machine_now: datetime) -> int:
    query = select(messages.c.id, messages.c.run_id, messages.c.step, messages.c.template).where(
        messages.c.state.in_(("queued", "sending", "uncertain"))
    )
    number = 0
    while rows := connection.execute(query.limit(_BATCH)).all():
        connection.execute(
            update(messages)
            .where(messages.c.id.in_([row.id for row in rows]))
            .values(
                held_at=at,
                uncertain_at=func.coalesce(messages.c.uncertain_at, machine_now),
                reason=MESSAGE,
                lease_until=None,
                progress_at=machine_now,
            )
        )
        _note(
            connection,
            [
                _line(
                    row.run_id, 0, at, row.step, "held", message=row.id, template=row.template, reason=MESSAGE
                )
                for row in rows
            ],
        )
        number += len(rows)
    return number


def _hold_runs(connection: Connection, at: datetime) -> int:
    mail = exists().where(inbox.c.run_id == runs.c.id, inbox.c.taken_in.is_(None))
    called = exists().where(outbox.c.run_id == runs.c.id, outbox.c.done_at.is_(None))
    due = or_(runs.c.until <= at, runs.c.turn == 0, runs.c.wake_wanted > runs.c.wake_done, mail, called)
    query = select(runs.c.id, runs.c.turn, runs.c.step, runs.c.parked_reason).where(
        runs.c.ended_at.is_(None), runs.c.held_at.is_(None), due
    )
    number = 0
    while rows := connection.execute(query.limit(_BATCH)).all():
        connection.execute(
            update(runs)
            .where(runs.c.id == bindparam("run"))
            .values(held_at=at, parked_reason=bindparam("why")),
            [{"run": row.id, "why": row.parked_reason or RUN} for row in rows],
        )
        _note(connection, [_line(row.id, row.turn, at, row.step, "parked", reason=RUN) for row in rows])
        number += len(rows)
    return number


def _line(run_id: str, turn: int, at: datetime, step: str | None, what: str, **detail: Any) -> dict[str, Any]:
    return {"run_id": run_id, "turn": turn, "at": at, "step": step, "what": what, "detail": detail}


def _note(connection: Connection, lines: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(step_log), list(lines))
