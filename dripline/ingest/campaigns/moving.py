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
from dripline.store.events import in_order
from dripline.store.house import open_house
from dripline.store.plans import load_plan
from dripline.store.schema import journeys
from dripline.store.wakes import Wake

log = structlog.get_logger(__name__)

BUDGET = 5.0
"""Seconds that one move takes at most: below its activity's limit."""
AT_ONCE = 2
"""Leads that are let in before those before them have got their first message: one for each core of a small machine.

More would be done sooner, and an event that comes meanwhile would wait for all of them.
"""
LOOK = 0.02
"""Seconds between two looks whether those that were let in have gone on."""
BREATH = 1.0
"""For every second that letting in takes, how long nothing is done: the machine is half the events' own."""
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
            if not self._gone_on(give_up):
                return Moved(over=False, rest=1.0)
            began = time.monotonic()
            rest = self._step(campaign_id)
            if rest is None:
                return Moved(over=True)
            if rest > SOON or time.monotonic() > give_up:
                return Moved(over=False, rest=rest)
            self.sleep(rest)
            if self._gone_on(give_up):
                self.sleep(min((time.monotonic() - began - rest) * BREATH, 1.0))

    def _step(self, campaign_id: str) -> float | None:
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
        return self._look(campaign, now) if looks else self._let_in(campaign_id)

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

    def _let_in(self, campaign_id: str) -> float | None:
        """Let the next few in, as far as its pace has places for them."""
        with self.store.write() as connection:
            machine_now = self.clock()
            campaign = campaigns.load_campaign(connection, campaign_id, lock=True)
            if campaign is None or campaign.state != "running":
                return None
            clock = open_house(connection).clock
            now = clock.to_house(machine_now)
            if _tested(connection, campaign):
                campaigns.change_campaign(connection, campaign_id, state="tested")
                return None
            batch = campaigns.next_leads(connection, campaign_id, self._room(connection, campaign))
            if not batch:
                return self._done(connection, campaign, now, machine_now)
            places = _places(campaign, now, clock.to_house(campaign.moved_at or machine_now))
            taken = min(len(batch), int(places))
            kept = {"places": places - taken, "moved_at": machine_now}
            campaigns.change_campaign(
                connection, campaign_id, **kept, started_at=campaign.started_at or (now if taken else None)
            )
        begun = [run for one in batch[:taken] if (run := self._enter(campaign_id, one)) is not None]
        if begun:
            self.wake([Wake(run, campaign.journey, wanted=1, first=True) for run in begun])
        if taken == len(batch):
            return 0.0
        next_place = timedelta(hours=(1 - (places - taken)) / campaign.per_hour)
        return max(LOOK, (clock.to_machine(now + next_place) - machine_now).total_seconds())

    def _room(self, connection: Connection, campaign: Row[Any]) -> int:
        """How many may be let in before the next look."""
        if campaign.test and campaign.released_at is None:
            left: int = campaign.test - campaigns.let_in_first(connection, campaign.id, campaign.test)
            return min(AT_ONCE, left)
        return AT_ONCE

    def _done(
        self, connection: Connection, campaign: Row[Any], now: datetime, machine_now: datetime
    ) -> float | None:
        """Nobody waits: it is over, unless it is looked through again later."""
        if campaign.look_at is not None:
            until = open_house(connection).clock.to_machine(campaign.look_at)
            return max(LOOK, (until - machine_now).total_seconds())
        campaigns.change_campaign(connection, campaign.id, state="finished", finished_at=now)
        return None

    def _gone_on(self, give_up: float) -> bool:
        """Wait until those let in have begun, and got what they get at once; False where they have not in that time."""
        while True:
            with self.store.read() as connection:
                newest = campaigns.newest_runs(connection, AT_ONCE)
                if not campaigns.under_way(connection, newest):
                    return True
            if time.monotonic() > give_up:
                return False
            self.sleep(LOOK)

    # -- one lead --------------------------------------------------------------------------------------------

    def _enter(self, campaign_id: str, waiting: Row[Any]) -> str | None:
        """Let one lead in, in a transaction of its own, if it still waits and nothing keeps it out: its run."""
        lead_id = waiting.lead_id
        while lead_id is not None:
            with self.store.write() as connection:
                lead = lock_lead(connection, lead_id)
                row = campaigns.load_lead_of(connection, campaign_id, waiting.found_as)
                if row is None or row.state != "waiting":
                    return None
                if lead is None or row.lead_id != lead.id:  # merged meanwhile: its row has followed
                    lead_id = row.lead_id
                    continue
                return self._decide(connection, campaign_id, waiting.found_as, lead)
        return None

    def _decide(self, connection: Connection, campaign_id: str, found_as: str, lead: Row[Any]) -> str | None:
        campaign = campaigns.load_campaign(connection, campaign_id)
        if campaign is None or campaign.state != "running":
            return None
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
        if campaigns.is_in(connection, campaign_id, lead.id, found_as):
            why_not = "was let in already, as another lead that it was merged with"
        why_not = why_not or barred(connection, lead, plan, at, None)
        if why_not is not None:
            campaigns.set_lead(connection, campaign_id, found_as, state="refused", reason=why_not, at=at)
            return None
        held_out = draw("holdout", lead.id, plan.journey) * 100 < campaign.holdout
        run = begin(connection, lead.id, plan, at, machine_now, None, held_out=held_out)
        state = "held-out" if held_out else "entered"
        campaigns.set_lead(connection, campaign_id, found_as, state=state, run_id=run, at=at)
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


__all__ = ["AT_ONCE", "Moved", "Mover"]
