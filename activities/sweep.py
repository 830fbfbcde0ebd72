"""`sweep`: mend, in bounded batches, what a crash, an outage or a lost signal left behind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import Column, ColumnElement, Row, Table, delete, false, func, not_, or_, select, update
from temporalio import activity

from activities.failures import coded
from dripline.clock import MachineClock, machine_clock
from dripline.ingest.anniversaries import Anniversaries
from dripline.ingest.campaigns.occasions import Occasions
from dripline.ingest.counting import Counter
from dripline.ingest.following import Times
from dripline.ingest.membership.keeping import SegmentKeeper
from dripline.ingest.overdue import Overdue
from dripline.ingest.redeeming import expire
from dripline.ingest.referring.service import Referring
from dripline.ingest.scoring.ageing import Ageing
from dripline.ingest.surveys.clicking import settle_one
from dripline.ingest.telling import Teller
from dripline.privacy.retaining import Keeper
from dripline.providers import Outgoing, Provider, ProviderError
from dripline.publishing.moving import Mover
from dripline.publishing.thawing import follow_one
from dripline.store import campaigns, messages, outbox, schema
from dripline.store.database import Store, lock_lead
from dripline.store.discounts import expiring
from dripline.store.freezing import STANDS_STILL, behind
from dripline.store.house import open_house
from dripline.store.publications import open_publications
from dripline.store.receipts import KEPT, forget_receipts
from dripline.store.surveys import ripe
from dripline.store.wakes import want_wake

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows of each kind that one sweep takes."""
SEND_AGAIN = 3
"""Attempts after which an uncertain message is held for a person, whatever the settings say."""
REMEMBERED = timedelta(days=7)
"""How long an answer is kept by its Idempotency-Key."""
MOVING = 5.0
"""Seconds that one sweep moves runs to a plan that was published."""
ANSWERING = 2.0
"""Seconds that one sweep takes answers to surveys."""
KEEPING = 2.0
"""Seconds that one sweep lets go what has been kept for long enough."""
REFERRING = 2.0
"""Seconds that one sweep tells and rewards who brought friends."""
KEEP_EVERY = timedelta(hours=1)
"""How often it is looked for that (machine time); sooner while there is more than one sweep can take."""
ASKING = 6.0
"""Seconds that one sweep asks providers for their records, at most: below its activity's limit."""

Fate = Literal["hold", "send-again"]


@dataclass(frozen=True)
class Patience:
    """How long things may take before the sweep looks at them, and what it then does. Seconds of machine time."""

    overdue: float = 120.0
    stalled: float = 300.0
    uncertain: float = 900.0
    uncertain_marketing: Fate = "hold"
    uncertain_transactional: Fate = "send-again"


class Sweeper:
    """Finds runs and messages that nobody moves any more, and lets the waker move them."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, Provider],
        patience: Patience,
        clock: MachineClock = machine_clock,
        keeper: Keeper | None = None,
    ) -> None:
        self._keeper = keeper
        self._kept_at: datetime | None = None
        self._store = store
        self._providers = providers
        self._patience = patience
        self._clock = clock
        self._anniversaries = Anniversaries(store, clock)
        self._referring = Referring(store, machine=clock)
        self._ageing = Ageing(store, clock)
        self._teller = Teller(store, clock)
        self._counter = Counter(store, clock)
        self._segments = SegmentKeeper(store, clock)
        self._occasions = Occasions(store, clock)
        self._overdue = Overdue(store, clock)

    @activity.defn(name="sweep")
    @coded
    def sweep(self) -> int:
        """One pass; how many rows were mended."""
        found = {
            "overdue": self._wake_overdue(),
            "stalled": self._wake_stalled(),
            "unanswered": self._wake_unanswered(),
            "forgotten": self._forget(),
            "moved": self._carry_out(),
            "thawed": self._thaw(),
            "entered": self._anniversaries.enter(),
            "came round": self._occasions.start_due(),
            "campaigns": self._move_on(),
            "outlived": self._let_go(),
            "expired": self._expire(),
            "referrals": self._referring.settle_due(BATCH, REFERRING),
            "aged": self._ageing.reckon(),
            "told of products": self._teller.tell_changes(BATCH),
            "told of what is used up": self._teller.tell_due(BATCH),
            "counted": self._counter.count(),
            "segmented": self._segments.keep(),
            "answered": self._take_answers(),
            "handed_on": self._overdue.hand_on(BATCH),
            "escalated": self._overdue.escalate(BATCH),
            "uncertain": self._settle_uncertain(),  # last: it may wait for providers
        }
        if any(found.values()):
            log.info("swept", **found)
        return sum(found.values())

    def _forget(self) -> int:
        """Answers kept by Idempotency-Key, once nobody repeats those requests any more; webhooks that were taken."""
        now = self._clock()
        long_ago = now - REMEMBERED
        with self._store.write() as connection:
            gone = forget_receipts(connection, now - KEPT)
            return (
                gone
                + connection.execute(
                    delete(schema.idempotency).where(schema.idempotency.c.created_at < long_ago)
                ).rowcount
            )

    def _let_go(self) -> int:
        """What the workspace keeps for a time only, and has kept for so long."""
        now = self._clock()
        if self._keeper is None or (self._kept_at is not None and now - self._kept_at < KEEP_EVERY):
            return 0
        began = time.monotonic()
        gone = self._keeper.carry_out(KEEPING)
        if time.monotonic() - began < KEEPING:
            self._kept_at = now
        return sum(gone.values())

    def _expire(self) -> int:
        """Discounts that were not redeemed in their time: their leads' journeys are told."""
        with self._store.read() as connection:
            house = open_house(connection)
            over = expiring(connection, house.clock.to_house(self._clock()), BATCH)

        def times() -> Times:
            return Times(house.clock.to_house(machine_now), machine_now)

        number = 0
        for row in over:
            with self._store.write() as connection:
                machine_now = self._clock()
                number += expire(connection, row.lead_id, row.id, times)
        return number

    def _take_answers(self) -> int:
        """Answers to surveys that were clicked a while ago, and to which nothing was added: a person's count."""
        with self._store.read() as connection:
            clock = open_house(connection).clock
            waiting = ripe(connection, clock.to_house(self._clock()), BATCH)
        number, give_up = 0, time.monotonic() + ANSWERING
        for row in waiting:
            with self._store.write() as connection:
                machine_now = self._clock()
                now = Times(clock.to_house(machine_now), machine_now)
                number += settle_one(connection, clock, row.id, now)
            if time.monotonic() > give_up:
                break
        return number

    def _carry_out(self) -> int:
        """Runs that a publication was to move or to end, and that whoever published did not come to."""
        with self._store.read() as connection:
            left = open_publications(connection)
        number, give_up = 0, time.monotonic() + MOVING
        for publication in left:
            mover = Mover(self._store, publication, self._clock)
            mover.carry_out(max(0.0, give_up - time.monotonic()))
            number += sum(count for fate, count in mover.fates.items() if fate != "stuck")
        return number

    def _move_on(self) -> int:
        """Campaigns that nobody has moved for long: their workflow is lost."""
        machine_now = self._clock()
        long_ago = machine_now - timedelta(seconds=self._patience.overdue)
        with self._store.write() as connection:
            now = open_house(connection).clock.to_house(machine_now)
            lost = campaigns.stalled(connection, long_ago, now, BATCH)
            for campaign_id in lost:
                campaigns.want_move(connection, campaign_id)
        return len(lost)

    def _thaw(self) -> int:
        """Runs whose journey stood still, and whose waits do not know of it yet."""
        with self._store.read() as connection:
            late = behind(connection, BATCH)
        give_up = time.monotonic() + MOVING
        number = 0
        for run in late:
            number += follow_one(self._store, run, self._clock)
            if time.monotonic() > give_up:
                break
        return number

    def _wake_overdue(self) -> int:
        """Open runs whose time has come and gone: their workflow is lost, or late."""
        now = self._clock()
        with self._store.write() as connection:
            clock = open_house(connection).clock
            late = clock.to_house(now - timedelta(seconds=self._patience.overdue))
            spreading = schema.runs.c.wait["held"].as_string() == "hours"
            rows = connection.execute(
                select(schema.runs.c.id)
                .where(
                    schema.runs.c.ended_at.is_(None),
                    schema.runs.c.until < late,
                    or_(schema.runs.c.until < late - schema.SPREAD, not_(func.coalesce(spreading, false()))),
                    schema.runs.c.parked_reason.is_(None),
                    schema.runs.c.journey.not_in(STANDS_STILL),
                    schema.runs.c.wake_wanted == schema.runs.c.wake_done,
                )
                .order_by(schema.runs.c.until)
                .limit(BATCH)
            ).scalars()
            return want_wake(connection, list(rows), now)

    def _wake_stalled(self) -> int:
        """Runs with messages that were queued or under way long ago: their deliveries are lost, or late."""
        table = schema.messages
        return self._wake_idle(table, table.c.id, table.c.state.in_(("queued", "sending")))

    def _wake_unanswered(self) -> int:
        """Runs that wait for an answer from outside which nobody has tried to get for long, unless they ended."""
        table = schema.outbox
        now = self._clock()
        with self._store.write() as connection:
            at = open_house(connection).clock.to_house(now)
            outbox.drop_ended(connection, now - timedelta(seconds=self._patience.stalled), at)
        return self._wake_idle(table, table.c.key, table.c.done_at.is_(None))

    def _wake_idle(self, table: Table, key: Column[Any], is_open: ColumnElement[bool]) -> int:
        """Wake the runs of a batch of open rows that have made no progress for long, the idlest first."""
        now = self._clock()
        long_ago = now - timedelta(seconds=self._patience.stalled)
        with self._store.write() as connection:
            rows = connection.execute(
                select(key.label("key"), table.c.run_id)
                .where(is_open, table.c.progress_at < long_ago)
                .order_by(table.c.progress_at)
                .limit(BATCH)
            ).all()
            if rows:  # looked at now: the next batch are others
                connection.execute(
                    update(table).where(key.in_([row.key for row in rows])).values(progress_at=now)
                )
            return want_wake(connection, sorted({row.run_id for row in rows}), now)

    def _settle_uncertain(self) -> int:
        """Ask the provider's own records; after a time decide, as the settings say."""
        table = schema.messages
        with self._store.read() as connection:
            rows = connection.execute(
                select(table).where(table.c.state == "uncertain").order_by(table.c.uncertain_at).limit(BATCH)
            ).all()
        give_up = time.monotonic() + ASKING
        silent: set[str] = set()
        settled = 0
        for row in rows:
            provider_id = None
            if row.channel not in silent and time.monotonic() < give_up:
                try:
                    provider_id = self._look_up(row)
                except ProviderError as problem:
                    silent.add(row.channel)
                    log.warning("provider's records unavailable", message=row.id, code=problem.code)
            settled += self._settle(row, provider_id)
        return settled

    def _settle(self, row: Row[Any], provider_id: str | None) -> bool:
        now = self._clock()
        patience = self._patience
        waited = (now - row.uncertain_at).total_seconds()
        fate = patience.uncertain_transactional if row.transactional else patience.uncertain_marketing
        if provider_id is None and waited < patience.uncertain:
            return False
        with self._store.write() as connection:
            lock_lead(connection, row.lead_id)
            fresh = messages.lock_message(connection, row.id)
            if fresh is None or fresh.state != "uncertain" or fresh.attempt_id != row.attempt_id:
                return False
            at = open_house(connection).clock.to_house(now)
            if provider_id is not None:
                messages.write_outcome(
                    connection, row.id, row.attempt_id, now, accepted_at=at, provider_id=provider_id
                )
            elif fate == "send-again" and fresh.attempts < SEND_AGAIN:
                messages.requeue(connection, row.id, now)
                want_wake(connection, [row.run_id], now)
            else:
                reason = f"uncertain: {row.reason}"
                messages.hold(connection, row.id, now, reason, at)
        log.info("settled", message=row.id, found=provider_id is not None, fate=fate)
        return True

    def _look_up(self, row: Row[Any]) -> str | None:
        provider = self._providers.get(row.channel)
        if provider is None or row.recipient is None or provider.name != row.provider:
            return None
        with self._store.read() as connection:
            known = connection.execute(
                select(schema.messages.c.provider_id).where(
                    schema.messages.c.recipient == row.recipient,
                    schema.messages.c.provider_id.is_not(None),
                )
            ).scalars()
            others = frozenset(found for found in known if found)
        return provider.find(_as_sent(row), _floor(row.attempted_at), others)


def _floor(moment: datetime) -> datetime:
    """A little before: providers keep whole seconds, and clocks differ."""
    return moment - timedelta(seconds=5)


def _as_sent(row: Row[Any]) -> Outgoing:
    return Outgoing(
        key=row.id,
        channel=row.channel,
        to=row.recipient,
        sender=row.sender,
        sender_name=row.sender_name,
        subject=row.subject,
        html=row.html,
        text=row.body,
    )
