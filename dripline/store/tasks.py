"""What people are to do for leads, by when, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from dripline.store.database import insert_into
from dripline.store.leads import WHO
from dripline.store.schema import leads, tasks

IS_OPEN = (tasks.c.done_at.is_(None), tasks.c.cancelled_at.is_(None))


def task_key(run_id: str, step: str, visit: int) -> str:
    """The id of the task that a step's visit sets: the same on every try."""
    return hashlib.sha256(f"task:{run_id}:{step}:{visit}".encode()).hexdigest()[:32]


def add_task(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Keep a task; False where it is known already."""
    statement = insert_into(connection, tasks).values(**row).on_conflict_do_nothing(index_elements=["id"])
    return connection.execute(statement).rowcount > 0


def load_task(connection: Connection, task_id: str) -> Row[Any] | None:
    """A task by its id, or None."""
    return connection.execute(select(tasks).where(tasks.c.id == task_id)).one_or_none()


def first_task(connection: Connection, lead_id: str, run_id: str, since: datetime) -> Row[Any] | None:
    """What the lead's run asked for first, not before that moment; of several at once what is due first, or None."""
    mine = (tasks.c.lead_id == lead_id, tasks.c.run_id == run_id)
    query = select(tasks).where(*mine, tasks.c.created_at >= since)
    order = (tasks.c.created_at, tasks.c.due_at.is_(None), tasks.c.due_at, tasks.c.id)
    return connection.execute(query.order_by(*order).limit(1)).one_or_none()


def finish_task(
    connection: Connection, task_id: str, at: datetime, by: str | None, result: str | None
) -> bool:
    """The task is done; False where it was over already."""
    done = update(tasks).where(tasks.c.id == task_id, *IS_OPEN)
    return connection.execute(done.values(done_at=at, done_by=by, result=result)).rowcount > 0


def cancel_task(connection: Connection, task_id: str, at: datetime) -> bool:
    """The task need not be done; False where it was over already."""
    done = update(tasks).where(tasks.c.id == task_id, *IS_OPEN)
    return connection.execute(done.values(cancelled_at=at)).rowcount > 0


def cancel_tasks_of(connection: Connection, lead_id: str, at: datetime) -> None:
    """Nothing that is open for the lead need be done."""
    mine = (tasks.c.lead_id == lead_id, *IS_OPEN)
    connection.execute(update(tasks).where(*mine).values(cancelled_at=at))


def mark_overdue(connection: Connection, task: Row[Any], at: datetime) -> str | None:
    """The task is overdue: from now on it is for whom it escalates to; whose it is then."""
    person: str | None = task.escalate_to or task.person
    values = {"overdue_at": at, "person": person}
    if person != task.person:
        values["escalated_from"] = task.person
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(**values))
    return person


def pass_on(connection: Connection, lead_id: str, before: str, after: str) -> list[str]:
    """The open tasks that the one has for the lead are the other's from now on; their ids."""
    mine = (tasks.c.lead_id == lead_id, tasks.c.person == before, *IS_OPEN)
    given = update(tasks).where(*mine).values(person=after).returning(tasks.c.id)
    return sorted(connection.execute(given).scalars())


def give_back(
    connection: Connection, task_id: str, lead_id: str, person: str, has_it: Collection[str | None]
) -> None:
    """The lead's task is that person's again, if it is still open and one of those has it."""
    same = (tasks.c.id == task_id, tasks.c.lead_id == lead_id, tasks.c.person.in_(list(has_it)), *IS_OPEN)
    connection.execute(update(tasks).where(*same).values(person=person))


def set_twice(connection: Connection, lead_ids: Collection[str], ended: Mapping[str, str]) -> list[str]:
    """Open tasks of these leads' runs that ended for another which has set the same task: their ids.

    `ended` has each run that ended, and the one that goes on.
    """
    if not ended:
        return []
    of_these = (tasks.c.lead_id.in_(list(lead_ids)), tasks.c.run_id.in_([*ended, *ended.values()]))
    found = connection.execute(select(tasks).where(*of_these).order_by(tasks.c.id)).all()
    set_by = {(row.run_id, row.step) for row in found}
    return [
        row.id
        for row in found
        if row.run_id in ended
        and (ended[row.run_id], row.step) in set_by
        and row.done_at is None
        and row.cancelled_at is None
    ]


def want_again(connection: Connection, ids: Collection[str]) -> None:
    """These tasks, which were cancelled, are to be done after all."""
    if ids:
        connection.execute(update(tasks).where(tasks.c.id.in_(list(ids))).values(cancelled_at=None))


def overdue(connection: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Open tasks that are due and were not told to be overdue yet, the longest first."""
    query = (
        select(tasks)
        .where(tasks.c.due_at <= now, tasks.c.overdue_at.is_(None), *IS_OPEN)
        .order_by(tasks.c.due_at)
        .limit(limit)
    )
    return connection.execute(query).all()


def list_tasks(
    connection: Connection,
    *,
    person: str | None = None,
    lead_id: str | None = None,
    everything: bool = False,
    due_before: datetime | None = None,
    limit: int = 500,
) -> Sequence[Row[Any]]:
    """Open tasks, or all of them, the first that is due first; those without a date last.

    Each has its lead's names (`lead_email`, …).
    """
    query = select(tasks, *WHO).join(leads, leads.c.id == tasks.c.lead_id)
    if person is not None:
        query = query.where(tasks.c.person == person)
    if lead_id is not None:
        query = query.where(tasks.c.lead_id == lead_id)
    if due_before is not None:
        query = query.where(tasks.c.due_at <= due_before)
    if not everything:
        query = query.where(*IS_OPEN)
    order = (tasks.c.due_at.is_(None), tasks.c.due_at, tasks.c.created_at, tasks.c.id)
    return connection.execute(query.order_by(*order).limit(limit)).all()


def tasks_over(connection: Connection, lead_id: str, limit: int) -> Sequence[Row[Any]]:
    """The lead's tasks that are done or were cancelled, the last first."""
    over = func.coalesce(tasks.c.done_at, tasks.c.cancelled_at)
    query = select(tasks).where(tasks.c.lead_id == lead_id, over.is_not(None))
    return connection.execute(query.order_by(over.desc(), tasks.c.id).limit(limit)).all()


def count_open(connection: Connection, now: datetime) -> dict[str | None, tuple[int, int]]:
    """By person, how many tasks are open, and how many of them overdue."""
    late = func.count().filter(tasks.c.due_at <= now)
    query = select(tasks.c.person, func.count(), late).where(*IS_OPEN).group_by(tasks.c.person)
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}
