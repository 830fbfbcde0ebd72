"""What people do with leads by hand: give them to somebody, change their stage, do tasks for them, fill cards in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import uuid_utils
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.engine.picking import Choice, Handover
from dripline.engine.working import after_work
from dripline.ingest.assigning import Occasion, hand_over
from dripline.ingest.living import lock_living
from dripline.ingest.recording import record_change
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.ingest.stages import StageChange, follow_stage
from dripline.ingest.tasks import finish
from dripline.ingest.transaction import transaction
from dripline.language.fields import FieldErrors, FieldType, coerce
from dripline.language.notices import OWNER
from dripline.language.people import Rule
from dripline.language.plan import Duration, Team
from dripline.language.problems import did_you_mean
from dripline.language.rules import Rules, compile_rules
from dripline.language.stages import CARD
from dripline.language.workspace import Workspace
from dripline.store import assignments, tasks
from dripline.store.customers import add_customer, customer_of, write_card
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import change_lead, load_lead

T = TypeVar("T")


class Hands:
    """Each call is one transaction, under the lead's lock, then a nudge for whoever wakes the runs. Raises Refused."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        nudge: Callable[[], None] = lambda: None,
        machine: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._nudge = nudge
        self._machine = machine

    @property
    def rules(self) -> Rules:
        """The people and teams that there are."""
        return compile_rules(self._workspace)

    def assign(self, lead_id: str, to: str, by: Rule | None = None, react: Duration | None = None) -> Choice:
        """Give the lead to a person, or to one of a team."""
        rules = self.rules
        team = rules.teams.get(to)
        if team is None and to not in rules.people:
            raise _unknown(to, {*rules.teams, *rules.people}, "team or person")
        of = team or Team(people=(to,))
        wanted = Handover(to if team else None, of, rules.people, by or of.by, rules.timezone)

        def do(connection: Connection) -> Choice:
            lead = lock_living(connection, lead_id)
            occasion = Occasion(self._now(connection), self._machine(), because="by-hand")
            return hand_over(connection, lead, wanted, react or of.react, occasion)[0]

        return self._done(do)

    def reacted(self, lead_id: str) -> bool:
        """Whoever has the lead has seen to it; whether that was still to come."""

        def do(connection: Connection) -> bool:
            lead = lock_living(connection, lead_id)
            return assignments.note_reaction(connection, lead.id, self._now(connection))

        return self._done(do)

    def set_stage(self, lead_id: str, stage: str, reason: str | None, source: str) -> bool:
        """Let the lead be at that stage; False where it is already."""

        def do(connection: Connection) -> bool:
            lead = lock_living(connection, lead_id)
            if lead.stage == stage:
                return False
            now = self._now(connection)
            change_lead(connection, lead.id, {"stage": stage, "stage_at": now}, max(lead.updated_at, now))
            record_change(connection, str(uuid_utils.uuid7()), lead.id, "stage", now, self._machine())
            change = StageChange(lead.stage, stage, source, reason)
            follow_stage(connection, lead.id, change, now, self._machine())
            return True

        return self._done(do)

    def set_task(
        self,
        lead_id: str,
        title: str,
        person: str = OWNER,
        due: Duration | datetime | None = None,
        escalate_to: str | None = None,
        by: str | None = None,
    ) -> Row[Any]:
        """Give somebody something to do; a length of time is working time of theirs."""
        rules = self.rules
        for name in filter(None, (None if person == OWNER else person, escalate_to)):
            if name not in rules.people:
                raise _unknown(name, rules.people, "person")

        def do(connection: Connection) -> Row[Any]:
            lead = lock_living(connection, lead_id)
            now = self._now(connection)
            whose = (lead.owner or self._workspace.default_owner) if person == OWNER else person
            at = due
            if isinstance(at, Duration):
                at = after_work(now, at, rules.people.get(whose or ""), rules.timezone)
            key = str(uuid_utils.uuid7())
            row = {"id": key, "lead_id": lead.id, "person": whose, "title": title, "created_at": now}
            row |= {"created_by": by, "due_at": at, "escalate_to": escalate_to}
            tasks.add_task(connection, row)
            return _task(connection, key)

        return self._done(do)

    def finish_task(self, task_id: str, by: str | None, result: str | None) -> Row[Any]:
        """The task is done; again, it changes nothing."""
        return self._end_task(task_id, lambda c, task, now: finish(c, task, now, self._machine(), by, result))

    def cancel_task(self, task_id: str) -> Row[Any]:
        """The task need not be done; again, it changes nothing."""
        return self._end_task(task_id, lambda c, task, now: tasks.cancel_task(c, task.id, now))

    def _end_task(self, task_id: str, end: Callable[[Connection, Row[Any], datetime], bool]) -> Row[Any]:
        def do(connection: Connection) -> Row[Any]:
            lock_living(connection, _task(connection, task_id).lead_id)
            task = _task(connection, task_id)
            if not end(connection, task, self._now(connection)) and task.cancelled_at is not None:
                raise Refused(409, "task-cancelled", "This task was cancelled; nothing was changed.")
            return _task(connection, task_id)

        return self._done(do)

    def fill_card(self, lead_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Write fields of the customer's card (None empties one); the card."""
        cards = self._workspace.cards
        known: dict[str, FieldType] = dict.fromkeys(CARD, "text")
        types = {**known, **self._workspace.attributes, **(cards.customer if cards else {})}
        try:
            said = coerce(values, types, self._workspace.zone)
        except FieldErrors as error:
            raise invalid(FieldError(name, words) for name, words in error.errors) from None

        def do(connection: Connection) -> dict[str, Any]:
            lead = lock_living(connection, lead_id)
            now = self._now(connection)
            if customer_of(connection, lead.id) is None:
                if lead.stage != "customer":
                    raise Refused(409, "no-customer", "This lead is no customer yet; nothing was changed.")
                add_customer(connection, lead, lead.stage_at or now, None)
            write_card(connection, lead.id, said, now)
            record_change(connection, str(uuid_utils.uuid7()), lead.id, "customer", now, self._machine())
            return dict(load_lead(connection, lead.id).customer)

        return self._done(do)

    def away(self, person: str, since: datetime, until: datetime, by: str | None) -> None:
        """Somebody is away: they are given no leads meanwhile."""
        if person not in self._workspace.people:
            raise _unknown(person, self._workspace.people, "person")
        if until <= since:
            raise invalid([FieldError("until", "is not after the beginning")])
        self._done(lambda connection: assignments.add_absence(connection, person, since, until, by))

    def back(self, person: str) -> int:
        """Somebody is back, and not away later either; how many absences that ended."""
        if person not in self._workspace.people:
            raise _unknown(person, self._workspace.people, "person")
        return self._done(
            lambda connection: assignments.end_absences(connection, person, self._now(connection))
        )

    def _done(self, do: Callable[[Connection], T]) -> T:
        done = transaction(self._store, do)
        self._nudge()
        return done

    def _now(self, connection: Connection) -> datetime:
        return open_house(connection).clock.to_house(self._machine())


def _task(connection: Connection, task_id: str) -> Row[Any]:
    task = tasks.load_task(connection, task_id)
    if task is None:
        raise Refused(404, "unknown-task", "There is no task of that id.")
    return task


def _unknown(name: str, known: Any, what: str) -> Refused:
    hint = did_you_mean(name, known)
    return Refused(404, "unknown-person", f"There is no such {what}" + (f": {hint}" if hint else "."))
