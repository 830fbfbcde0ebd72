"""Opens and clicks as our own links and pixels tell of them: written down, and told from those of machines.

A scanner that calls itself a browser is known by what it does: it comes as soon as the message has left, or
follows one link after the other within moments. The first of those looks like a person until the others come, so
whatever seems to be a person's is undecided for a few seconds. Only then does the message count as opened or
clicked, and only then do journeys hear of it: an event cannot be taken back. What cannot be told: a scanner that
waits for longer, or follows a single link.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from dripline.clock import HouseClock, MachineClock, machine_clock
from dripline.ingest.message_events import tell
from dripline.language.tracking import TrackingEntry, is_tracked
from dripline.store import hits
from dripline.store.database import Store
from dripline.store.house import House, open_house
from dripline.store.leads import lock_survivor
from dripline.store.messages import load_message, lock_message
from dripline.tracking.addresses import without_query
from dripline.tracking.machines import BURST, TOO_QUICK, Kind

QUICK = timedelta(seconds=5)
"""A message that is opened or clicked within so long of its delivery was not seen by a person."""
PATIENCE = timedelta(seconds=10)
"""How long an open or a click may turn out to be a machine's."""
WITHIN = timedelta(seconds=5)
MANY = 3
"""Links of one message that are followed `WITHIN` so long are followed by a machine."""
MOST = 50
"""Opens, and clicks, that are kept of one message: a loop of somebody's must not fill the store."""
_BATCH = 200

_SAYS = {"open": "opened", "click": "clicked"}


@dataclass(frozen=True)
class Hit:
    """A pixel that was fetched or a link that was followed, just now."""

    message: str
    kind: Kind
    machine: str | None
    """What kind of machine it says it is."""
    link: str | None = None


def take_hit(
    store: Store,
    hit: Hit,
    rules: TrackingEntry | None,
    secret: str | None = None,
    machine: MachineClock = machine_clock,
) -> bool:
    """Keep an open or a click, where it may be kept; whether it is to be decided later.

    A message that is gone, a lead that is erased or does not want it, and what is over the bound are no errors.
    """
    with store.write() as connection:
        row = load_message(connection, hit.message)
        lead = lock_survivor(connection, row.lead_id) if row is not None else None
        if row is None or lead is None or lead.erased_at is not None:
            return False
        if not is_tracked(_rule(rules, row.channel, hit.kind), lead.tracking):
            return False
        if hits.count(connection, row.id, hit.kind) >= MOST:
            return False
        clock, now = open_house(connection, secret).clock, machine()
        at = clock.to_house(now)
        link = without_query(hit.link) if hit.link else None
        if hit.machine is not None or _too_quick(row, clock, now):
            hits.keep(connection, row.id, hit.kind, at, link, hit.machine or TOO_QUICK)
            return False
        if _nobody_between(row):
            hits.keep(connection, row.id, hit.kind, at, link, None)
            _count(connection, row, hit.kind, at, link, now)
            return False
        hits.keep(connection, row.id, hit.kind, at, link, hits.UNDECIDED)
        _mark_burst(connection, row, clock, now)
        return True


def settle(store: Store, secret: str | None = None, machine: MachineClock = machine_clock) -> float | None:
    """Decide what has waited long enough; seconds until more is to be decided, None where nothing waits."""
    with store.read() as connection:
        house, now = open_house(connection, secret), machine()
        ripe = hits.ripe(connection, house.clock.to_house(now - PATIENCE), _BATCH)
    for hit in ripe:
        with store.write() as connection:
            _decide(connection, house, hit.id, hit.message_id, machine())
    with store.read() as connection:
        oldest = hits.oldest_undecided(connection)
    if oldest is None:
        return None
    return max(0.0, (house.clock.to_machine(oldest) + PATIENCE - machine()).total_seconds())


def _decide(connection: Connection, house: House, hit_id: int, message: str, now: datetime) -> None:
    seen = load_message(connection, message)
    lead = lock_survivor(connection, seen.lead_id) if seen is not None else None
    row, hit = lock_message(connection, message), hits.load(connection, hit_id)
    if row is None or hit is None:
        return
    # Its delivery may have been reported only after somebody came.
    quick = _too_quick(row, house.clock, house.clock.to_machine(hit.at))
    if not hits.decide(connection, [hit.id], TOO_QUICK if quick else None) or quick:
        return
    if lead is not None and lead.erased_at is None:
        _count(connection, row, hit.kind, hit.at, hit.link, now)


def _count(
    connection: Connection, row: Row[Any], kind: str, at: datetime, link: str | None, now: datetime
) -> None:
    """A person opened or clicked the message."""
    hits.of_person(connection, row.id, kind, at)
    tell(connection, row, _SAYS[kind], at, now, link=link)


def _rule(rules: TrackingEntry | None, channel: str, kind: Kind) -> bool | str:
    if rules is None:
        return False
    if channel == "sms":
        return rules.sms
    return rules.opens if kind == "open" else rules.clicks


def _nobody_between(row: Row[Any]) -> bool:
    """In the local mailbox there is no scanner between a message and who reads it."""
    return bool(row.provider == "mailbox")


def _too_quick(row: Row[Any], clock: HouseClock, came: datetime) -> bool:
    if _nobody_between(row):
        return False
    left = [clock.to_machine(at) for at in (row.accepted_at, row.delivered_at) if at is not None]
    arrived = max((at for at in left if at <= came), default=row.attempted_at)
    return arrived is None or came - arrived < QUICK


def _mark_burst(connection: Connection, row: Row[Any], clock: HouseClock, now: datetime) -> None:
    """Many links at once: none of them, and no open beside them, was a person's."""
    lately = hits.since(connection, row.id, clock.to_house(now - WITHIN))
    links = {one.link for one in lately if one.kind == "click" and one.machine in (hits.UNDECIDED, BURST)}
    if len(links) >= MANY:
        hits.decide(connection, [one.id for one in lately if one.machine == hits.UNDECIDED], BURST)


__all__ = ["MANY", "MOST", "PATIENCE", "QUICK", "WITHIN", "Hit", "settle", "take_hit"]
