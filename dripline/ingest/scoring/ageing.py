"""Scores that age alone has changed: found by their time, a lead at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.recording import record
from dripline.ingest.scoring.following import AGE, rescore
from dripline.store.database import Store, lock_lead
from dripline.store.house import open_house
from dripline.store.rules import current_rules
from dripline.store.scores import due_scores

BATCH = 500
"""Leads that one look takes."""
BUDGET = 3.0
"""Seconds after which the rest is left to the next look."""


@dataclass
class Ageing:
    """Reckons scores anew whose time has come, and tells of those that have cooled."""

    store: Store
    clock: MachineClock = machine_clock
    budget: float = BUDGET

    def reckon(self) -> int:
        """One look; how many leads were reckoned anew."""
        give_up = time.monotonic() + self.budget
        with self.store.read() as connection:
            if current_rules(connection).scoring is None:
                return 0
            now = open_house(connection).clock.to_house(self.clock())
            due = due_scores(connection, now, BATCH)
        number = 0
        for lead_id in due:
            number += self.reckon_one(lead_id)
            if time.monotonic() > give_up:
                break
        return number

    def reckon_one(self, lead_id: str) -> bool:
        """The same for one lead; False where another was quicker. A lead scored for the first time tells nobody."""
        with self.store.write() as connection:
            lead = lock_lead(connection, lead_id)
            machine_now = self.clock()
            now = open_house(connection).clock.to_house(machine_now)
            return lead is not None and age(connection, lead, now, machine_now)


def age(connection: Connection, lead: Row[Any], now: datetime, machine_now: datetime) -> bool:
    """Reckon the score of a lead that is locked, if its time has come by `now` (house time); whether it had.

    A turn does so before it reads the lead: whoever asks how warm it is must not depend on when the sweep came.
    """
    if lead.rescore_at is None or lead.rescore_at > now:
        return False
    scoring = current_rules(connection).scoring
    if scoring is None or lead.merged_into is not None or lead.erased_at is not None:
        return False
    told = rescore(connection, scoring, lead, now, AGE)
    for event in told if lead.warmth is not None else ():
        record(connection, event, machine_now)
    return True


__all__ = ["Ageing", "age"]
