"""`advance`: one turn of a run, in one transaction. Answers where the run is, whatever was asked twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy import Connection, Row, update
from temporalio import activity

from activities.changing import Changes
from activities.failures import coded
from dripline.clock import HouseClock, MachineClock, machine_clock
from dripline.engine.draw import draw
from dripline.engine.effects import (
    Answer,
    AskOutside,
    AskSuppression,
    CountMessages,
    Effect,
    EnrollLead,
    FindEvents,
    FindMessages,
    IssueDiscount,
    Note,
    QueueMessage,
    RecordGoal,
    ReserveSlot,
    SkipMessage,
    TurnEnd,
    UnenrollLead,
    UpdateLead,
)
from dripline.engine.policy import ADDRESS, spacing
from dripline.engine.turn import take_turn
from dripline.publishing.thawing import follow
from dripline.store import discounts, messages, outbox, runs, schema
from dripline.store.database import Store, lock_lead_of, lock_run
from dripline.store.freezing import standing_still
from dripline.store.house import House, open_house
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.wakes import want_wake
from dripline.wire import EFFECTS, AdvanceRequest, Delivery, Standing

log = structlog.get_logger(__name__)

RUNAWAY = 20
"""Messages to one lead within 24 hours after which the journey is paused: surely nobody's intention."""

NO_PROGRESS = timedelta(seconds=1)
"""How long a turn that changed nothing makes its run rest at least (machine time)."""


@dataclass(frozen=True)
class Route:
    """How messages of a channel leave: the queue of its provider, and whether a local attempt may be made."""

    queue: str
    local: bool


class Turns:
    """Takes turns. `routes` is by channel; `clock` is used for nothing but the ledger's progress times."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        secret: str | None = None,
        clock: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._routes = routes
        self._secret = secret
        self._clock = clock

    @activity.defn(name="advance", no_thread_cancel_exception=True)  # not in the middle of a transaction
    @coded
    def advance(self, request: AdvanceRequest) -> Standing:
        """Take the turn after `seen`; if that has been taken, and nothing came since, only say where the run is."""
        with self._store.write() as connection:
            house = open_house(connection, self._secret)
            lead = lock_lead_of(connection, request.run)
            run = lock_run(connection, request.run)
            if lead is None or run is None:
                return Standing(turn=request.seen, ended=True)
            machine_now = datetime.fromtimestamp(request.now, tz=UTC)
            due = run.turn == request.seen or runs.has_mail(connection, run.id)
            stands_still = False
            if run.ended_at is None and run.held_at is None and due:
                now = house.clock.to_house(machine_now)
                for rival in runs.lock_rivals(connection, run, now):
                    self._take_if_open(connection, house, rival.id, now)
                    # What it queued is its workflow's to deliver.
                    want_wake(connection, [rival.id], self._clock())
                stands_still = not self._take_if_open(connection, house, run.id, now)
                run = lock_run(connection, request.run) or run
            return self._standing(connection, house.clock, run, machine_now, stands_still)

    def _take_if_open(self, connection: Connection, house: House, run_id: str, now: datetime) -> bool:
        """Take the turn, unless one that was taken before it has ended the run; False: its journey stands still."""
        lead = lock_lead_of(connection, run_id)  # a rival's turn may have changed it
        run = lock_run(connection, run_id)
        if lead is None or run is None or run.ended_at is not None:
            return True
        still = standing_still(connection, run)
        if still.frozen:
            return False
        if still.is_behind:
            follow(connection, lead, run, still, now)
            run = lock_run(connection, run_id) or run
        self._take(connection, house, run, lead, now)
        return True

    def _take(
        self, connection: Connection, house: House, run: Row[Any], lead: Row[Any], now: datetime
    ) -> None:
        plan = load_plan(connection, run.plan_hash)
        state = runs.load_state(connection, run)
        inbox = [*runs.load_inbox(connection, run.id), *outbox.answers(connection, run.id)]
        world = _World(connection, house, run, lead, now, self._clock())
        turn = take_turn(plan, state, facts(lead), inbox, now, house.clock.rate)
        answer: Any = None
        while True:
            try:
                answer = world.answer(turn.send(answer))
            except StopIteration as stop:
                end: TurnEnd = stop.value
                break
        told = world.changes.told
        if told:  # its own events have woken the run that is awake, and lie in its inbox
            run = lock_run(connection, run.id) or run
        runs.save_turn(connection, run, end, inbox_seen=[*inbox, *told])
        answers = [one for one in inbox if isinstance(one, Answer) and one.id not in end.left]
        outbox.take_answers(connection, run.id, run.turn + 1, answers)

    def _standing(
        self, connection: Connection, clock: HouseClock, run: Row[Any], now: datetime, stands_still: bool
    ) -> Standing:
        until = None
        rests = run.ended_at is None and run.parked_reason is None and not stands_still
        if run.until is not None and rests:
            until = max(
                clock.to_machine(run.until + _spread(run)),
                now + NO_PROGRESS if _stuck(run, clock, now) else now,
            )
        deliver = [
            Delivery(
                message=row.id,
                queue=self._routes[row.channel].queue,
                journey=row.journey,
                priority=1 if row.transactional else 3,
                local=self._routes[row.channel].local,
            )
            for row in messages.open_of_run(connection, run.id)
        ]
        if run.ended_at is None:
            deliver += [
                Delivery(message=key, queue=EFFECTS, journey=run.journey, priority=3, local=False)
                for key in outbox.open_of_run(connection, run.id)
            ]
        return Standing(
            turn=run.turn,
            ended=run.ended_at is not None,
            until=until.timestamp() if until else None,
            step=run.step,
            deliver=deliver,
        )


class _World:
    """Answers the engine's effects out of the store, inside the turn's transaction."""

    def __init__(
        self,
        connection: Connection,
        house: House,
        run: Row[Any],
        lead: Row[Any],
        now: datetime,
        machine_now: datetime,
    ) -> None:
        self._connection = connection
        self._house = house
        self._run = run
        self._lead = lead
        self._now = now
        self._machine_now = machine_now
        self.changes = Changes(connection, run, machine_now)

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
                return messages.queue(connection, run, effect, self._now, self._machine_now)
            case SkipMessage(message, reason):
                return messages.queue(connection, run, message, self._now, self._machine_now, skipped=reason)
            case AskOutside():
                return outbox.put(connection, run.id, effect, self._machine_now)
            case IssueDiscount():
                return discounts.issue(connection, run, effect, self._house.secret)
            case UpdateLead():
                return self.changes.update(effect)
            case EnrollLead():
                return self.changes.enroll(effect)
            case UnenrollLead():
                return self.changes.unenroll(effect)
            case RecordGoal(at, value):
                return runs.record_goal(connection, run.id, at, value)
            case Note(at, step, what, detail):
                return runs.note(connection, run.id, run.turn + 1, at, step, what, detail)
            case _:
                assert_never(effect)

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


def _spread(run: Row[Any]) -> timedelta:
    """How much later than its moment a message held by the clock is let go, so that not all leads' go at once.

    Only the wake-up is later: in the run's own time the wait ends at its moment.
    """
    if run.wait is None or run.wait.get("held") != "hours":
        return timedelta()
    return draw("spread", run.id, run.step) * schema.SPREAD


def _stuck(run: Row[Any], clock: HouseClock, now: datetime) -> bool:
    """Whether the wait that the turn came to rest in had ended already: asking at once would change nothing."""
    return bool(clock.to_machine(run.until) <= now)
