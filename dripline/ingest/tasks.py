"""Tasks: set, done, cancelled, overdue, and what each tells. All under the lead's lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine.effects import SetTask
from dripline.ingest.recording import record
from dripline.store import tasks
from dripline.store.assignments import note_reaction, open_assignment
from dripline.store.events import Event


def set_task(connection: Connection, run: Row[Any], wanted: SetTask) -> str:
    """Keep the task of a run's step, once; its id."""
    key = tasks.task_key(run.id, wanted.step, wanted.visit)
    row = {
        "id": key,
        "lead_id": run.lead_id,
        "person": wanted.person,
        "title": wanted.title,
        "run_id": run.id,
        "journey": run.journey,
        "step": wanted.step,
        "visit": wanted.visit,
        "created_at": wanted.at,
        "created_by": f"journey {run.journey}",
        "due_at": wanted.due_at,
        "escalate_to": wanted.escalate_to,
    }
    tasks.add_task(connection, row)
    return key


def finish(
    connection: Connection,
    task: Row[Any],
    at: datetime,
    machine_now: datetime,
    by: str | None = None,
    result: str | None = None,
) -> bool:
    """The task is done: whoever waits is told, and whoever has the lead has reacted. False where it was over."""
    if not tasks.finish_task(connection, task.id, at, by, result):
        return False
    assignment = open_assignment(connection, task.lead_id)
    if assignment is not None and task.person in (assignment.person, None):
        note_reaction(connection, task.lead_id, at)
    said = {"task": task.id, "title": task.title, "result": result}
    _tell(connection, task, "task.done", said, at, machine_now)
    return True


def fall_due(connection: Connection, task: Row[Any], at: datetime, machine_now: datetime) -> str | None:
    """The task is overdue: it goes to whom it escalates to, and whoever waits is told. Whose it is then."""
    person = tasks.mark_overdue(connection, task, at)
    _tell(connection, task, "task.overdue", {"task": task.id, "title": task.title}, at, machine_now)
    return person


def _tell(
    connection: Connection,
    task: Row[Any],
    name: str,
    said: dict[str, Any],
    at: datetime,
    machine_now: datetime,
) -> None:
    properties = {key: value for key, value in said.items() if value is not None}
    event = Event(f"{task.id}.{name}", task.lead_id, name, properties, at)
    record(connection, event, machine_now)
