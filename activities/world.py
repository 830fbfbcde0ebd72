"""What the engine asks for in a turn, answered out of the store, inside the turn's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy import Connection, Row, update

from activities.changing import Changes
from dripline.engine.effects import (
    AskOutside,
    AskSuppression,
    AssignLead,
    CountMessages,
    Effect,
    EnrollLead,
    FindEvents,
    FindMessages,
    FindProducts,
    GiveReferralCode,
    IssueDiscount,
    Note,
    OpenSurvey,
    QueueMessage,
    RecordGoal,
    ReserveSlot,
    SetTask,
    SkipMessage,
    UnenrollLead,
    UpdateLead,
)
from dripline.engine.policy import ADDRESS, spacing
from dripline.ingest.shelf import recommended
from dripline.ingest.tasks import set_task
from dripline.links import friends_link
from dripline.store import discounts, messages, outbox, referrals, runs, schema, surveys
from dripline.store.house import House
from dripline.store.rules import current_rules

log = structlog.get_logger(__name__)

RUNAWAY = 20
"""Messages to one lead within 24 hours after which the journey is paused: surely nobody's intention."""


class World:
    """Answers the engine's effects out of the store, inside the turn's transaction."""

    def __init__(
        self,
        connection: Connection,
        house: House,
        run: Row[Any],
        lead: Row[Any],
        now: datetime,
        machine_now: datetime,
        public_url: str,
    ) -> None:
        self._connection = connection
        self._house = house
        self._run = run
        self._lead = lead
        self._now = now
        self._machine_now = machine_now
        self._public_url = public_url
        self._lines: list[dict[str, Any]] = []
        self.changes = Changes(connection, run, machine_now)
        self.queued: list[Row[Any]] = []
        """The messages that this turn has put into the ledger, to be sent."""

    def answer(self, effect: Effect) -> Any:
        connection, run = self._connection, self._run
        match effect:
            case FindEvents(names, after):
                return runs.find_events(connection, run.lead_id, names, after)
            case CountMessages(since):
                return messages.count_toward_limit(connection, run.lead_id, since)
            case FindMessages(since):
                return messages.counted_since(connection, run.lead_id, since)
            case ReserveSlot(throttle, at):
                return messages.reserve_slot(connection, run.journey, at, spacing(throttle))
            case AskSuppression(channel):
                address = getattr(self._lead, ADDRESS[channel])
                if not address:
                    return None
                return runs.suppression(connection, channel, self._house.address_hash(channel, address))
            case QueueMessage():
                if not effect.notice:
                    self._brake()
                return self._queue(effect)
            case SkipMessage(message, reason):
                return self._queue(message, reason)
            case OpenSurvey():
                return surveys.open_ask(connection, run, effect)
            case AskOutside():
                return outbox.put(connection, run.id, effect, self._machine_now)
            case IssueDiscount():
                return discounts.issue(connection, run, effect, self._house.secret)
            case GiveReferralCode(_, program, at):
                return self._refer(program, at)
            case UpdateLead():
                self.tell()
                return self.changes.update(effect)
            case AssignLead():
                self.tell()
                return self.changes.assign(effect)
            case SetTask():
                return set_task(connection, run, effect)
            case EnrollLead():
                self.tell()
                return self.changes.enroll(effect)
            case UnenrollLead():
                self.tell()
                return self.changes.unenroll(effect)
            case FindProducts(at):
                return recommended(connection, run.lead_id, at)
            case RecordGoal(at, value):
                return runs.record_goal(connection, run.id, at, value)
            case Note(at, step, what, detail):
                return self._lines.append(runs.line_of(run.id, run.turn + 1, at, step, what, detail))
            case _:
                assert_never(effect)

    def tell(self) -> None:
        """Write the lines of the run's story that are not written yet: together, and before what others write."""
        runs.note_all(self._connection, self._lines)
        self._lines = []

    def _refer(self, program: str, at: datetime) -> dict[str, Any]:
        if program not in current_rules(self._connection).referrals:
            return {"reason": "program over"}
        row = referrals.give_code(self._connection, self._lead.id, program, self._house.secret, at)
        link = friends_link(self._public_url, row.code)
        return {"code": row.code, "link": link, "qr": f"{link}.png"}

    def _queue(self, message: QueueMessage, reason: str | None = None) -> str:
        row = messages.queue(self._connection, self._run, message, self._now, self._machine_now, reason)
        if row is not None and reason is None:
            self.queued.append(row)
        return messages.message_key(self._run.id, message.step, message.visit)

    def _brake(self) -> None:
        """Pause the journey if this lead gets so much that it can only be a mistake."""
        day_ago = self._now - timedelta(hours=24)
        if messages.count_all(self._connection, self._run.lead_id, day_ago) < RUNAWAY:
            return
        journey = self._run.journey
        paused = self._connection.execute(
            update(schema.journeys)
            .where(schema.journeys.c.id == journey, schema.journeys.c.paused_at.is_(None))
            .values(paused_at=self._now, pause_reason=f"more than {RUNAWAY} messages to one lead in 24 hours")
        )
        if paused.rowcount:
            log.error("journey paused: too many messages to one lead", journey=journey, run=self._run.id)
