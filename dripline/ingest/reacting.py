"""An event that shows that whoever has a lead has reacted: what the team's `reactions` in dripline.yaml name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from dripline.language.rules import Rules
from dripline.store import tasks
from dripline.store.assignments import newest_handover, note_reaction, open_assignment
from dripline.store.events import Event


def show_reaction(connection: Connection, rules: Rules, lead: Row[Any], event: Event) -> tuple[Event, ...]:
    """Note the reaction, and that what was asked for with the hand-over is done; the event that tells of that.

    The lead is locked. What is told of the past is no reaction.
    """
    given = None if event.historical else open_assignment(connection, lead.id)
    if given is None or event.received_at <= given.at:
        return ()
    handover = newest_handover(connection, lead.id)
    teams = {
        given.team,
        handover.team if handover is not None else None,
    }  # given on by hand, the team still waits
    if not any(event.name in rules.teams[name].reactions for name in teams & rules.teams.keys()):
        return ()
    note_reaction(connection, lead.id, event.received_at)
    return _finish(connection, handover, event) if handover is not None else ()


def _finish(connection: Connection, handover: Row[Any], event: Event) -> tuple[Event, ...]:
    """The first task of the run that handed the lead over is done by the event, if it was still to be done."""
    at = event.received_at
    task = tasks.first_task(connection, event.lead_id, handover.run_id, handover.at)
    if task is None or not tasks.finish_task(connection, task.id, at, event.name, None):
        return ()
    said = {"task": task.id, "title": task.title}
    return (Event(f"{task.id}.task.done", event.lead_id, "task.done", said, at, depth=event.depth),)
