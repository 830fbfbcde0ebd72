"""What people did not do in time: leads that nobody reacted to go to another, overdue tasks to whom they escalate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, or_, select

from dripline.clock import MachineClock, machine_clock
from dripline.engine.picking import Handover
from dripline.ingest.assigning import Occasion, hand_over
from dripline.ingest.tasks import fall_due
from dripline.language.plan import Duration, Team
from dripline.language.rules import Rules
from dripline.store import tasks
from dripline.store.assignments import note_reaction, open_assignment, unreacted, wait_no_longer
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import lock_survivor
from dripline.store.rules import current_rules
from dripline.store.schema import assignments, events
from dripline.store.schema import tasks as tasks_table

_log = structlog.get_logger(__name__)


class Overdue:
    """Looks after what is overdue, a transaction a lead."""

    def __init__(self, store: Store, clock: MachineClock = machine_clock) -> None:
        self._store = store
        self._clock = clock

    def hand_on(self, limit: int) -> int:
        """Give leads to another that whoever has them has not reacted to in time; how many were looked at."""
        with self._store.read() as connection:
            late = unreacted(connection, self._now(connection), limit)
        for row in late:
            with self._store.write() as connection:
                lead = lock_survivor(connection, row.lead_id)
                now = self._now(connection)
                fresh = open_assignment(connection, lead.id) if lead is not None else None
                if lead is None or fresh is None or fresh.id != row.id:
                    wait_no_longer(connection, row.id)
                elif fresh.react_by is not None and fresh.reacted_at is None:
                    self._hand_on(connection, lead, fresh, now)
        return len(late)

    def _hand_on(self, connection: Connection, lead: Row[Any], row: Row[Any], now: datetime) -> None:
        rules = current_rules(connection)
        team = rules.teams.get(row.team)
        reacted = team and _reaction(connection, lead.id, team, row.at)
        if reacted:
            note_reaction(connection, lead.id, reacted)
            return
        if team is None or lead.erased_at is not None:
            wait_no_longer(connection, row.id)
            return
        react = row.terms.get("react")
        occasion = Occasion(max(now, row.react_by), self._clock(), because="no-reaction")
        wanted = _handover(rules, team, row)
        choice, _ = hand_over(
            connection, lead, wanted, Duration.model_validate(react) if react else None, occasion
        )
        if choice.person is None:  # it stays where it is: better there than nowhere
            wait_no_longer(connection, row.id)
        _log.info("lead handed on", lead=lead.id, how=choice.how)

    def escalate(self, limit: int) -> int:
        """Tell of tasks that are overdue, and give them to whom they escalate; how many there were."""
        with self._store.read() as connection:
            late = tasks.overdue(connection, self._now(connection), limit)
        for row in late:
            with self._store.write() as connection:
                lead = lock_survivor(connection, row.lead_id)
                task = tasks.load_task(connection, row.id)
                if task is None or task.done_at or task.cancelled_at or task.overdue_at:
                    continue
                if lead is None or lead.erased_at is not None:
                    tasks.cancel_task(connection, row.id, self._now(connection))
                    continue
                fall_due(connection, task, max(self._now(connection), task.due_at), self._clock())
        return len(late)

    def _now(self, connection: Connection) -> datetime:
        return open_house(connection).clock.to_house(self._clock())


def next_due(connection: Connection) -> datetime | None:
    """When something is overdue next (house time); None where nothing will be."""
    waiting = select(func.min(assignments.c.react_by)).where(
        assignments.c.reacted_at.is_(None), assignments.c.ended_at.is_(None)
    )
    due = select(func.min(tasks_table.c.due_at)).where(tasks_table.c.overdue_at.is_(None), *tasks.IS_OPEN)
    found = [connection.execute(query).scalar_one_or_none() for query in (waiting, due)]
    return min((one for one in found if one is not None), default=None)


def _handover(rules: Rules, team: Team, row: Row[Any]) -> Handover:
    return Handover(
        team=row.team,
        of=team,
        people=rules.people,
        by=row.terms.get("by") or team.by,
        timezone=rules.timezone,
        not_again=frozenset({row.person}),
    )


def _reaction(connection: Connection, lead_id: str, team: Team, since: datetime) -> datetime | None:
    """When the first event came that shows a reaction; None where none did."""
    if not team.reactions:
        return None
    table = events.c
    query = select(func.min(table.received_at)).where(
        table.lead_id == lead_id,
        or_(*(table.name == name for name in team.reactions)),
        table.received_at > since,
    )
    return connection.execute(query).scalar_one_or_none()
