"""The outbox: what steps want done outside the process, each once, and the answers on their way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from dripline.engine.effects import Answer, AskOutside
from dripline.store.database import insert_into
from dripline.store.messages import message_key
from dripline.store.schema import inbox, outbox, runs
from dripline.store.wakes import want_wake

# Built once: building a statement costs three times as much as executing it.
_OPEN = (
    select(outbox.c.key)
    .where(outbox.c.run_id == bindparam("run"), outbox.c.done_at.is_(None))
    .order_by(outbox.c.queued_at, outbox.c.key)
)
_ANSWERS = (
    select(inbox)
    .where(inbox.c.run_id == bindparam("run"), inbox.c.taken_in.is_(None), inbox.c.kind == "effect")
    .order_by(inbox.c.received_at, inbox.c.seq)
)


def put(connection: Connection, run_id: str, wanted: AskOutside, machine_now: datetime) -> str:
    """Keep what a step asks for; its key, the same for every try. Doing it twice changes nothing."""
    key = message_key(run_id, wanted.step, wanted.visit)
    connection.execute(
        insert_into(connection, outbox)
        .values(
            key=key,
            run_id=run_id,
            step=wanted.step,
            visit=wanted.visit,
            kind=wanted.kind,
            payload=dict(wanted.request),
            queued_at=wanted.at,
            progress_at=machine_now,
        )
        .on_conflict_do_nothing()
    )
    return key


def open_of_run(connection: Connection, run_id: str) -> list[str]:
    """The keys of what a run has asked for and has no answer to."""
    return list(connection.execute(_OPEN, {"run": run_id}).scalars())


def lock_row(connection: Connection, key: str) -> Row[Any] | None:
    """Lock a row of the outbox and return it. Lock its lead and its run first."""
    return connection.execute(select(outbox).where(outbox.c.key == key).with_for_update()).one_or_none()


def begin_try(connection: Connection, key: str, machine_now: datetime) -> None:
    """Count a try before it is made, so that one that kills its process counts too."""
    connection.execute(
        update(outbox)
        .where(outbox.c.key == key)
        .values(attempts=outbox.c.attempts + 1, progress_at=machine_now)
    )


def drop(connection: Connection, key: str, at: datetime) -> None:
    """Nobody waits for it any more."""
    connection.execute(
        update(outbox).where(outbox.c.key == key, outbox.c.done_at.is_(None)).values(done_at=at)
    )


def drop_ended(connection: Connection, long_ago: datetime, at: datetime) -> int:
    """Drop what ended runs still ask for and nobody has tried since long ago; how much it was."""
    done = connection.execute(
        update(outbox)
        .where(
            outbox.c.done_at.is_(None),
            outbox.c.progress_at < long_ago,
            outbox.c.run_id == runs.c.id,
            runs.c.ended_at.is_not(None),
        )
        .values(done_at=at)
    )
    return done.rowcount


def answer(
    connection: Connection, row: Row[Any], said: Mapping[str, Any], at: datetime, machine_now: datetime
) -> bool:
    """Give the run its answer, the first time only; the caller has locked its lead and the row.

    `at` is house time; a run's own time never goes back, whatever the clocks say.
    """
    done = connection.execute(
        update(outbox).where(outbox.c.key == row.key, outbox.c.done_at.is_(None)).values(done_at=at)
    )
    if done.rowcount == 0:
        return False
    seen = connection.execute(select(runs.c.last_at).where(runs.c.id == row.run_id)).scalar_one()
    connection.execute(
        insert(inbox).values(
            run_id=row.run_id,
            kind="effect",
            payload={"step": row.step, "visit": row.visit, "said": dict(said)},
            received_at=max(at, seen),
        )
    )
    want_wake(connection, [row.run_id], machine_now)
    return True


def answers(connection: Connection, run_id: str) -> list[Answer]:
    """The answers that wait to be looked at by the run, in the order in which they came."""
    return [
        Answer(
            id=f"answer-{row.seq}",
            name="",
            properties=row.payload["said"],
            received_at=row.received_at,
            step=row.payload["step"],
            visit=row.payload["visit"],
        )
        for row in connection.execute(_ANSWERS, {"run": run_id})
    ]


def take_answers(connection: Connection, run_id: str, turn: int, taken: Sequence[Answer]) -> None:
    """These answers were looked at in that turn."""
    numbers = [int(one.id.removeprefix("answer-")) for one in taken]
    if numbers:
        connection.execute(
            update(inbox).where(inbox.c.run_id == run_id, inbox.c.seq.in_(numbers)).values(taken_in=turn)
        )
