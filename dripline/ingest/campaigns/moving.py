"""Moving a campaign on: its audience is gathered, then let in, a few at a time, so that events always go first.

Everything that it has done is in the store. Whoever moves it next, after a crash too, goes on there: a lead is let in
in one transaction that looks first whether it still waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from dripline.clock import MachineClock, machine_clock
from dripline.engine.draw import draw
from dripline.ingest.audience import BadAudience
from dripline.ingest.campaigns.gathering import keep_look, look
from dripline.ingest.entering import barred, begin
from dripline.language.workspace import Workspace
from dripline.store import campaigns
from dripline.store.database import Store, lock_lead
from dripline.store.events import in_order, latest_from_outside
from dripline.store.house import open_house
from dripline.store.plans import load_plan
from dripline.store.schema import journeys
from dripline.store.wakes import Wake

log = structlog.get_logger(__name__)

BUDGET = 5.0
"""Seconds that one move takes at most: below its activity's limit."""
AT_ONCE = 8
"""Leads that are on their way to their first message at any time, while nothing else is going on."""
BESIDE_EVENTS = 1
"""The same while events come in: more would be done sooner, and each event would wait for all of them."""
CALM = 2.0
"""Seconds without an event after which nothing else is going on."""
BREATH = 3.0
"""While events come in: for every second that letting in takes, how long nothing is done. That time is their own."""
LOOK = 0.02
"""Seconds between two looks whether those that were let in have gone on."""
HELD_UP = 30.0
"""Seconds until it is looked again whether the brake was released, or the journey goes on."""
SOON = 1.0
"""Seconds that are waited for here; what takes longer, the workflow's timer waits for."""


@dataclass(frozen=True)
class Moved:
    """Where a campaign is: `over`, or to be moved again after so many seconds."""

    over: bool
    rest: float = 0.0


@dataclass
class Mover:
    """Moves campaigns. `wake` is told the runs that were begun: whoever can, starts them at once."""

    store: Store
    workspace: Workspace
    clock: MachineClock = machine_clock
    wake: Callable[[Sequence[Wake]], None] = lambda runs: None
    budget: float = BUDGET
    sleep: Callable[[float], None] = time.sleep

    def move(self, campaign_id: str) -> Moved:
        """Move it on for a while."""
        give_up = time.monotonic() + self.budget
        while True:
            at_once, room = self._room(give_up)
            if not room:
                return Moved(over=False, rest=1.0)
            began = time.monotonic()
            rest = self._step(campaign_id, room)
            if rest is None:
                return Moved(over=True)
            if rest > SOON or time.monotonic() > give_up:
                return Moved(over=False, rest=rest)
            self.sleep(rest)
            if at_once == BESIDE_EVENTS and self._room(give_up)[1]:
                self.sleep(min((time.monotonic() - began - rest) * BREATH, 1.0))

    def _room(self, give_up: float) -> tuple[int, int]:
        """How many may be on their way at once now, and how many more that are: waits until it is one at least.

        None more, where those let in do not get on in that time.
        """
        while True:
            with self.store.read() as connection:
                at_once = self._at_once(connection)
                on_their_way = campaigns.under_way(connection, campaigns.newest_runs(connection, 2 * AT_ONCE))
            if on_their_way < at_once:
                return at_once, at_once - on_their_way
            if time.monotonic() > give_up:
                return at_once, 0
            self.sleep(LOOK)

    def _at_once(self, connection: Connection) -> int:
        latest = latest_from_outside(connection)
        if latest is None:
            return AT_ONCE
        since = self.clock() - open_house(connection).clock.to_machine(latest)
        return AT_ONCE if since > timedelta(seconds=CALM) else BESIDE_EVENTS

    def _step(self, campaign_id: str, room: int) -> float | None:
        """One batch of looking, or of letting in; how long to rest then, None where it is over or stands still."""
        with self.store.read() as connection:
            campaign = campaigns.load_campaign(connection, campaign_id)
            if campaign is None or campaign.state != "running":
                return None
            house = open_house(connection)
            now = house.clock.to_house(self.clock())
            if house.stopped_at is not None or _stands_still(connection, campaign.journey):
                return HELD_UP
            looks = campaign.looking_at or (campaign.look_at and campaign.look_at <= now)
            tested = _tested(connection, campaign)
            batch = [] if looks or tested else campaigns.next_leads(connection, campaign_id, room)
        if looks:
            return self._look(campaign, now)
        return self._let_in(campaign, batch) if batch else self._done(campaign_id)

    def _look(self, campaign: Row[Any], now: datetime) -> float | None:
        """Look through the next part of its audience, while others write, and then write down who is in it."""
        try:
            with self.store.read() as connection:
                seen = look(connection, self.workspace, campaign, now)
        except BadAudience as problem:
            reason = f"its audience cannot be asked any more: {problem}"
            with self.store.write() as connection:
                values = {"state": "paused", "paused_at": now, "pause_reason": reason}
                campaigns.change_campaign(connection, campaign.id, **values)
            log.warning("campaign-paused", campaign=campaign.id, code=problem.code)
            return None
        with self.store.write() as connection:
            row = campaigns.load_campaign(connection, campaign.id, lock=True)
            if row is not None and (row.looking_at, row.reached) == (campaign.looking_at, campaign.reached):
                campaigns.change_campaign(connection, campaign.id, moved_at=self.clock())
                keep_look(connection, row, seen)
        return 0.0

    def _let_in(self, campaign: Row[Any], batch: Sequence[Row[Any]]) -> float | None:
        """Let the next few in, as far as its pace has places for them; how long until it has one again."""
        begun, rest = [], 0.0
        for one in batch:
            run, rest = self._enter(campaign.id, one)
            if run is not None:
                begun.append(Wake(run, campaign.journey, wanted=1, first=True))
            if rest:
                break
        if begun:
            self.wake(begun)
        return rest

    def _done(self, campaign_id: str) -> float | None:
        """Its test group is in, or nobody waits: it is over, unless it is looked through again later."""
        with self.store.write() as connection:
            machine_now = self.clock()
            campaign = campaigns.load_campaign(connection, campaign_id, lock=True)
            if campaign is None or campaign.state != "running":
                return None
            if _tested(connection, campaign):
                campaigns.change_campaign(connection, campaign_id, state="tested")
                return None
            if campaigns.next_leads(connection, campaign_id, 1):
                return 0.0
            clock = open_house(connection).clock
            if campaign.look_at is not None:
                return max(LOOK, (clock.to_machine(campaign.look_at) - machine_now).total_seconds())
            over = {"state": "finished", "finished_at": clock.to_house(machine_now)}
            campaigns.change_campaign(connection, campaign_id, **over)
            return None

    # -- one lead --------------------------------------------------------------------------------------------

    def _enter(self, campaign_id: str, waiting: Row[Any]) -> tuple[str | None, float]:
        """Let one lead in, in a transaction of its own, if it still waits and nothing keeps it out: its run.

        Where the pace has no place for it, how long until it has one.
        """
        lead_id = waiting.lead_id
        while lead_id is not None:
            with self.store.write() as connection:
                lead = lock_lead(connection, lead_id)
                campaign = campaigns.load_campaign(connection, campaign_id, lock=True)
                row = campaigns.load_lead_of(connection, campaign_id, waiting.found_as)
                if campaign is None or campaign.state != "running" or row is None or row.state != "waiting":
                    break
                if lead is None or row.lead_id != lead.id:  # merged meanwhile: its row has followed
                    lead_id = row.lead_id
                    continue
                if _tested(connection, campaign):
                    break
                return self._take(connection, campaign, waiting.found_as, lead)
        return None, 0.0

    def _take(
        self, connection: Connection, campaign: Row[Any], found_as: str, lead: Row[Any]
    ) -> tuple[str | None, float]:
        """Take one of the places that the pace has."""
        machine_now = self.clock()
        clock = open_house(connection).clock
        now = clock.to_house(machine_now)
        places = _places(campaign, now, clock.to_house(campaign.moved_at or machine_now))
        if places < 1:
            next_place = now + timedelta(hours=(1 - places) / campaign.per_hour)
            campaigns.change_campaign(connection, campaign.id, places=places, moved_at=machine_now)
            return None, max(LOOK, (clock.to_machine(next_place) - machine_now).total_seconds())
        begun = self._decide(connection, campaign, found_as, lead)
        kept = {"places": places - 1, "moved_at": machine_now, "started_at": campaign.started_at or now}
        campaigns.change_campaign(connection, campaign.id, **kept)
        return begun, 0.0

    def _decide(
        self, connection: Connection, campaign: Row[Any], found_as: str, lead: Row[Any]
    ) -> str | None:
        plan_hash = connection.execute(
            select(journeys.c.plan_hash).where(
                journeys.c.id == campaign.journey,
                journeys.c.retired_at.is_(None),
                journeys.c.paused_at.is_(None),
            )
        ).scalar_one_or_none()
        if plan_hash is None:
            return None
        machine_now = self.clock()
        now = open_house(connection).clock.to_house(machine_now)
        plan = load_plan(connection, plan_hash)
        at = in_order(connection, lead.id, now)
        why_not = "was erased" if lead.erased_at is not None else None
        if campaigns.is_in(connection, campaign.id, lead.id, found_as):
            why_not = "was let in already, as another lead that it was merged with"
        why_not = why_not or barred(connection, lead, plan, at, None)
        if why_not is not None:
            campaigns.set_lead(connection, campaign.id, found_as, state="refused", reason=why_not, at=at)
            return None
        held_out = draw("holdout", lead.id, plan.journey) * 100 < campaign.holdout
        run = begin(connection, lead.id, plan, at, machine_now, None, held_out=held_out)
        state = "held-out" if held_out else "entered"
        campaigns.set_lead(connection, campaign.id, found_as, state=state, run_id=run, at=at)
        return run


def _stands_still(connection: Connection, journey: str) -> bool:
    """Whether nobody enters the journey at present: it is paused, or taken out."""
    query = select(journeys.c.id).where(
        journeys.c.id == journey, journeys.c.retired_at.is_(None), journeys.c.paused_at.is_(None)
    )
    return connection.execute(query).one_or_none() is None


def _tested(connection: Connection, campaign: Row[Any]) -> bool:
    """Whether its test group is in, and nobody has said yet that the others may follow."""
    if not campaign.test or campaign.released_at is not None:
        return False
    if campaigns.let_in_first(connection, campaign.id, campaign.test) < campaign.test:
        return False
    return bool(campaigns.next_leads(connection, campaign.id, 1))


def _places(campaign: Row[Any], now: datetime, before: datetime) -> float:
    """How many its pace lets in now. What was not used is kept for a minute only: nobody comes in a rush."""
    if campaign.per_hour is None:
        return float(AT_ONCE)
    hours = max(0.0, (now - before).total_seconds() / 3600)
    per_hour: float = campaign.per_hour
    return min(float(campaign.places) + per_hour * hours, max(1.0, per_hour / 60))


__all__ = ["AT_ONCE", "BESIDE_EVENTS", "Moved", "Mover"]
