"""`advance`: one turn of a run, in one transaction. Answers where the run is, whatever was asked twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from temporalio import activity

from activities.failures import coded
from activities.world import World
from dripline.clock import HouseClock, MachineClock, machine_clock
from dripline.engine.draw import draw
from dripline.engine.effects import Answer, Event, TurnEnd
from dripline.engine.turn import take_turn
from dripline.ingest.scoring.ageing import age
from dripline.publishing.thawing import follow
from dripline.store import messages, outbox, runs, schema
from dripline.store.database import Store, lock_lead_and_run, lock_lead_of, lock_run
from dripline.store.freezing import standing_still
from dripline.store.house import House, open_house
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.wakes import want_wake
from dripline.wire import EFFECTS, AdvanceRequest, Delivery, Standing

NO_PROGRESS = timedelta(seconds=1)
"""How long a turn that changed nothing makes its run rest at least (machine time)."""

Claim = Callable[[Connection, House, Row[Any], Row[Any]], None]
"""Told of each message that a turn has queued, and of its lead, in the turn's transaction: it may take the lease."""


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
        public_url: str = "http://127.0.0.1:8080",
    ) -> None:
        self._store = store
        self._routes = routes
        self._secret = secret
        self._clock = clock
        self._public_url = public_url

    @activity.defn(name="advance", no_thread_cancel_exception=True)  # not in the middle of a transaction
    @coded
    def advance(self, request: AdvanceRequest) -> Standing:
        """Take the turn after `seen`; if that has been taken, and nothing came since, only say where the run is."""
        return self.take(request)

    def take(self, request: AdvanceRequest, claim: Claim | None = None) -> Standing:
        """The turn, as `advance` takes it. Whom `claim` leases a message is still told to deliver it."""
        with self._store.write() as connection:
            house = open_house(connection, self._secret)
            lead, run = lock_lead_and_run(connection, request.run)
            if lead is None or run is None:
                return Standing(turn=request.seen, ended=True)
            machine_now = datetime.fromtimestamp(request.now, tz=UTC)
            due = run.turn == request.seen or runs.has_mail(connection, run.id)
            stands_still = False
            if run.ended_at is None and run.held_at is None and due:
                now = house.clock.to_house(machine_now)
                rivals = runs.lock_rivals(connection, run, now)
                for rival in rivals:
                    self._take_rivals(connection, house, rival.id, now)
                if rivals:
                    lead = lock_lead_of(connection, run.id) or lead  # a rival's turn may have changed it
                    run = lock_run(connection, run.id) or run
                run, stands_still = self._take_if_open(connection, house, run, lead, now, claim)
            return self._standing(connection, house.clock, run, machine_now, stands_still)

    def _take_rivals(self, connection: Connection, house: House, run_id: str, now: datetime) -> None:
        """Take a rival's turn. What it queues is its own workflow's to deliver."""
        lead, rival = lock_lead_and_run(connection, run_id)  # the rival before it may have changed them
        if lead is not None and rival is not None:
            self._take_if_open(connection, house, rival, lead, now)
        want_wake(connection, [run_id], self._clock())

    def _take_if_open(
        self,
        connection: Connection,
        house: House,
        run: Row[Any],
        lead: Row[Any],
        now: datetime,
        claim: Claim | None = None,
    ) -> tuple[Row[Any], bool]:
        """Take the turn, unless one before it has ended the run; its row then, and whether its journey stands still."""
        if run.ended_at is not None:
            return run, False
        still = standing_still(connection, run)
        if still.frozen:
            return run, True
        if still.is_behind:
            follow(connection, lead, run, still, now)
            run = lock_run(connection, run.id) or run
        return self._take(connection, house, run, lead, now, claim), False

    def _take(
        self,
        connection: Connection,
        house: House,
        run: Row[Any],
        lead: Row[Any],
        now: datetime,
        claim: Claim | None = None,
    ) -> Row[Any]:
        if age(connection, lead, now, self._clock()):
            lead = lock_lead_of(connection, run.id) or lead
            run = lock_run(connection, run.id) or run
        plan = load_plan(connection, run.plan_hash)
        state = runs.load_state(connection, run)
        inbox: list[Event] = []
        if runs.has_mail(connection, run.id):
            inbox = [*runs.load_inbox(connection, run.id), *outbox.answers(connection, run.id)]
        world = World(connection, house, run, lead, now, self._clock(), self._public_url)
        turn = take_turn(plan, state, facts(lead), inbox, now, house.clock.rate)
        answer: Any = None
        while True:
            try:
                answer = world.answer(turn.send(answer))
            except StopIteration as stop:
                end: TurnEnd = stop.value
                break
        world.tell()
        told = world.changes.told
        if told:  # its own events have woken the run that is awake, and lie in its inbox
            run = lock_run(connection, run.id) or run
            lead = lock_lead_of(connection, run.id) or lead
        saved = runs.save_turn(connection, run, end, inbox_seen=[*inbox, *told])
        answers = [one for one in inbox if isinstance(one, Answer) and one.id not in end.left]
        outbox.take_answers(connection, run.id, run.turn + 1, answers)
        if claim is not None:
            for message in world.queued:
                if self._routes[message.channel].local:
                    claim(connection, house, message, lead)
        return saved

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
