"""`deliver`: one message from the ledger to its provider, never twice without knowing.

An attempt is three short steps: look and render (no lock), take the lease (one transaction that asks again
whether the message may go), send, write the outcome. Whoever finds another's live lease waits for it.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import structlog
from sqlalchemy import Connection, Row
from temporalio import activity

from activities.breaker import Breaker
from activities.content import MessageContent, Tracking, answers_to, compose, links_of, one_click
from activities.failures import coded, not_yet
from activities.gate import Gate, ask_again, opens_at, over_daily_limit
from dripline.clock import HouseClock, MachineClock, machine_clock
from dripline.engine.draw import draw
from dripline.engine.hours import on_the_wall
from dripline.engine.policy import ADDRESS
from dripline.ingest.message_events import tell
from dripline.providers import NotAccepted, Outgoing, PermanentFailure, Provider, ProviderError, Uncertain
from dripline.rendering import RenderError
from dripline.store import messages, runs, schema
from dripline.store.database import UNAVAILABLE, Store, lock_lead
from dripline.store.house import House, open_house
from dripline.store.leads import facts as lead_facts
from dripline.store.leads import load_lead
from dripline.store.plans import load_plan

log = structlog.get_logger(__name__)

LOCAL_LIMIT = 2.0
"""Seconds that a turn's own worker waits for a first attempt before the provider's queue takes over."""

SLOT_PATIENCE = 0.5
"""Seconds that a first attempt waits for a free thread. In a burst one is free much sooner, and going by the queue
costs a workflow task and six events of history; where the provider is slow, no turn is held up for longer."""

OUTCOME_PATIENCE = 90.0
"""Seconds for which an attempt tries to write down what the provider answered while the store is away."""

WARM_UP_PAUSE = 60.0
"""Seconds until a message that is over its sender's daily limit is looked at again, at least."""


LARGE = 50_000
"""Characters of a message above which its template is rendered outside the turn's transaction the next time: that
takes tens of milliseconds, in which nobody else could write to SQLite."""


class Settled(enum.Enum):
    """The message needs no more of us: sent, decided, or uncertain (then the sweep settles it)."""

    YES = True


@dataclass(frozen=True)
class Later:
    """Not now; try again in so many seconds (None: as the retry policy says)."""

    code: str
    seconds: float | None = None


class Deliveries:
    """Delivers through the given providers, by channel."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, Provider],
        gate: Gate,
        *,
        lease: float = 30.0,
        callback_url: str | None = None,
        public_url: str = "http://127.0.0.1:8080",
        secret: str | None = None,
        tracking: Tracking | None = None,
        reply_domain: str | None = None,
        local_slots: int = 8,
        clock: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._providers = providers
        self._gate = gate
        self._lease = lease
        self._callback_url = callback_url
        self._public_url = public_url.rstrip("/")
        self._secret = secret
        self._tracking = tracking or Tracking()
        self._reply_domain = reply_domain
        self._clock = clock
        self._slots = asyncio.Semaphore(local_slots)
        self._pool = ThreadPoolExecutor(local_slots, thread_name_prefix="local-send")
        self._large: set[tuple[str, str]] = set()
        self._breakers = {channel: Breaker() for channel in providers}

    # -- activities ------------------------------------------------------------------------------------------

    @activity.defn(name="deliver_now")
    async def deliver_now(self, message_id: str) -> bool:
        """A first attempt beside the turn; False (in time) where the provider's queue shall do it.

        The attempt goes on in its thread even when we stop waiting: its lease keeps everyone else off.
        """
        try:
            async with asyncio.timeout(SLOT_PATIENCE):
                await self._slots.acquire()
        except TimeoutError:
            return False
        attempt = asyncio.get_running_loop().run_in_executor(self._pool, self._try_local, message_id)
        attempt.add_done_callback(self._give_slot_back)  # when its thread is free again, not when we leave
        done, _ = await asyncio.wait([attempt], timeout=LOCAL_LIMIT)
        return attempt.result() if done else False

    def _give_slot_back(self, _attempt: asyncio.Future[bool]) -> None:
        self._slots.release()

    @activity.defn(name="deliver", no_thread_cancel_exception=True)
    @coded
    def deliver(self, message_id: str) -> None:
        """Attempt until settled; Temporal's retries bring the next attempt."""
        result = self.attempt(message_id)
        if isinstance(result, Later):
            raise not_yet(result.code, message_id, result.seconds)

    def _try_local(self, message_id: str) -> bool:
        try:
            return self.attempt(message_id, local=True) is Settled.YES
        except UNAVAILABLE as problem:
            log.warning("local attempt failed", message=message_id, error=type(problem).__name__)
        except Exception as problem:
            log.exception("local attempt failed", message=message_id, error=type(problem).__name__)
        return False

    # -- a first attempt, by whoever takes the turn ------------------------------------------------------------

    def lease_ahead(
        self, connection: Connection, house: House, row: Row[Any], lead: Row[Any]
    ) -> Lease | None:
        """Take the lease of a message that this transaction has queued; None if it shall go the usual way.

        What must not be sent is decided here as anywhere. Nothing wrong with a message may hinder the turn.
        """
        template = (row.plan_hash, row.template)
        if template in self._large or not self._breakers[row.channel].closed:
            return None
        try:
            composed = self._compose(connection, house, row, lead)
        except Exception as problem:
            log.exception("cannot compose", message=row.id, error=type(problem).__name__)
            return None
        if not isinstance(composed, RenderError) and len(composed.html or composed.body) > LARGE:
            self._large.add(template)
        lease = self._lease_or_not(connection, house, row, lead, composed)
        return lease if isinstance(lease, Lease) else None

    def send_ahead(self, lease: Lease) -> bool:
        """Send what was leased ahead; False where it is still to be sent, by the provider's queue."""
        try:
            return self._send(lease) is Settled.YES
        except UNAVAILABLE as problem:
            log.warning("first attempt failed", message=lease.message.key, error=type(problem).__name__)
        except Exception as problem:
            log.exception("first attempt failed", message=lease.message.key, error=type(problem).__name__)
        return False

    # -- one attempt -----------------------------------------------------------------------------------------

    def attempt(self, message_id: str, local: bool = False) -> Settled | Later:
        """Send the message if it is queued and may go. Local attempts only while the provider is well."""
        with self._store.read() as connection:
            row = messages.load_message(connection, message_id)
            if row is None or row.state not in ("queued", "sending"):
                return Settled.YES
            if local and not self._breakers[row.channel].closed:
                return Later("breaker-open")
            house = open_house(connection, self._secret)
            composed = self._compose(connection, house, row, load_lead(connection, row.lead_id))
        with self._store.write() as connection:
            lease = self._take_lease(connection, row, composed)
        if not isinstance(lease, Lease):
            return lease
        return self._send(lease)

    def _compose(
        self, connection: Connection, house: House, row: Row[Any], lead: Row[Any]
    ) -> MessageContent | RenderError:
        """What the message says, the same on every try: rendered once, then kept with the row."""
        if lead.erased_at is not None:
            return RenderError("lead erased")  # nothing is left to say it with; the gate skips the message
        machine_now = self._clock()
        now = house.clock.to_house(machine_now)
        plan, links = (
            load_plan(connection, row.plan_hash),
            links_of(row, house, self._public_url, machine_now),
        )
        marks = self._tracking.marks(row, house, lead, self._public_url)
        try:
            return compose(plan, row, lead_facts(lead), now, links, marks)
        except RenderError as problem:
            return problem

    def _take_lease(
        self, connection: Connection, seen: Row[Any], composed: MessageContent | RenderError
    ) -> Lease | Settled | Later:
        lead = lock_lead(connection, seen.lead_id)
        row = messages.lock_message(connection, seen.id)
        if lead is None or row is None or row.state not in ("queued", "sending"):
            return Settled.YES
        if row.lead_id != lead.id:  # merged while we waited: it is composed anew, for who it is for now
            return Later("merged", 0.1)
        if row.state == "sending":
            return self._others_lease(connection, row, self._clock())
        return self._lease_or_not(connection, open_house(connection, self._secret), row, lead, composed)

    def _lease_or_not(
        self,
        connection: Connection,
        house: House,
        row: Row[Any],
        lead: Row[Any],
        composed: MessageContent | RenderError,
    ) -> Lease | Settled | Later:
        """Take the lease of a queued row, if it may go; row and lead are locked."""
        now = self._clock()
        house_now = house.clock.to_house(now)
        wall = on_the_wall(row.queued_at, house_now, house.clock.rate)
        verdict = ask_again(connection, house, self._gate, row, lead, wall)
        if verdict is not None:
            kind, reason = verdict
            messages.decide(connection, row.id, now, reason, **{kind: house.clock.to_house(now)})
            _tell(connection, row, house.clock.to_house(now), kind, reason)
            return Settled.YES
        if isinstance(composed, RenderError):
            at = house.clock.to_house(now)
            messages.decide(connection, row.id, now, f"template: {composed}", held_at=at)
            _tell(connection, row, at, "held_at", f"template: {composed}")
            return Settled.YES
        opening = opens_at(row, load_plan(connection, row.plan_hash), lead, wall)
        if opening > max(wall, house_now):  # our clock may be behind the one that it was queued by
            leaves = house.clock.to_machine(opening + draw("spread", row.id) * schema.SPREAD)
            return Later("closed", (leaves - now).total_seconds())
        if row.not_before is not None and row.not_before > house_now:
            return Later("spread", (house.clock.to_machine(row.not_before) - now).total_seconds())
        if over_daily_limit(connection, self._gate, composed.sender, now):
            return Later("warm-up", WARM_UP_PAUSE)
        content = messages.Content(
            recipient=row.addressee or getattr(lead, ADDRESS[row.channel]), **vars(composed)
        )
        attempt = messages.take_lease(
            connection, row.id, content, self._providers[row.channel].name, now, self._lease
        )
        return Lease(attempt, row.channel, house.clock, self._outgoing(house, row, lead, content, now))

    def _others_lease(self, connection: Connection, row: Row[Any], now: datetime) -> Settled | Later:
        """Another attempt holds the row: wait for it, or find that it must have died."""
        left = (row.lease_until - now).total_seconds()
        if left > 0:
            return Later("in-flight", min(left + 0.1, 5.0))
        provider = self._providers[row.channel]
        if provider.repeatable and provider.name == row.provider:
            messages.give_back(connection, row.id, row.attempt_id, now, "attempt lost")
            return Later("attempt-lost", 0.1)
        messages.write_outcome(
            connection, row.id, row.attempt_id, now, uncertain_at=now, reason="attempt lost"
        )
        return Settled.YES

    def _outgoing(
        self, house: House, row: Row[Any], lead: Row[Any], content: messages.Content, now: datetime
    ) -> Outgoing:
        callback = None
        if self._callback_url:
            callback = f"{self._callback_url}/webhooks/twilio?{urlencode({'key': row.id})}"
        return Outgoing(
            key=row.id,
            channel=row.channel,
            to=content.recipient,
            sender=content.sender,
            sender_name=content.sender_name,
            subject=content.subject,
            html=content.html,
            text=content.body,
            status_callback=callback,
            unsubscribe=one_click(row, house, self._public_url, now),
            untouched=self._tracking.untouched(lead),
            **answers_to(row, house, self._reply_domain),
        )

    def _send(self, lease: Lease) -> Settled | Later:
        provider, breaker = self._providers[lease.channel], self._breakers[lease.channel]
        facts: dict[str, Any]
        try:
            accepted = provider.send(lease.message)
            breaker.succeeded()
            facts = {"accepted_at": lease.clock.to_house(self._clock())}
            facts |= {"provider_id": accepted.provider_id}
        except NotAccepted as problem:
            breaker.failed()
            self._warn("the provider did not take a message: it waits", lease, problem)
            return self._give_back(lease, Later(problem.code, problem.retry_after))
        except PermanentFailure as problem:
            breaker.succeeded()
            self._warn("the provider refused a message for good", lease, problem)
            facts = {"failed_at": lease.clock.to_house(self._clock()), "reason": problem.code}
        except Uncertain as problem:
            breaker.failed()
            self._warn("a message may or may not have left", lease, problem)
            facts = {"uncertain_at": self._clock(), "reason": problem.code}
        self._write(lambda connection: self._write_outcome(connection, lease, facts))
        return Settled.YES

    def _write_outcome(self, connection: Connection, lease: Lease, facts: Mapping[str, Any]) -> None:
        """Write down what the attempt came to; that it failed for good may be what a journey waits for."""
        now, failed_at = self._clock(), facts.get("failed_at")
        row = messages.load_message(connection, lease.message.key) if failed_at else None
        if row is not None:
            lock_lead(connection, row.lead_id)
        written = messages.write_outcome(connection, lease.message.key, lease.attempt, now, **facts)
        if written and row is not None and failed_at is not None:
            tell(connection, row, "failed", failed_at, now, reason=facts["reason"])

    def _warn(self, said: str, lease: Lease, problem: ProviderError) -> None:
        name = self._providers[lease.channel].name
        log.warning(said, message=lease.message.key, provider=name, code=problem.code)

    def _give_back(self, lease: Lease, later: Later) -> Later:
        self._write(
            lambda connection: messages.give_back(
                connection, lease.message.key, lease.attempt, self._clock(), later.code
            )
        )
        return later

    def _write(self, write: Callable[[Connection], object]) -> None:
        """Write down an outcome, patiently: what the provider answered cannot be asked again."""
        give_up = time.monotonic() + OUTCOME_PATIENCE
        while True:
            try:
                with self._store.write() as connection:
                    write(connection)
                    return
            except UNAVAILABLE:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.5)


@dataclass(frozen=True)
class Lease:
    """The right to one attempt at a message, and all that the attempt needs."""

    attempt: str
    channel: str
    clock: HouseClock
    message: Outgoing


def _tell(connection: Connection, row: Row[Any], at: datetime, kind: str, reason: str) -> None:
    what = kind.removesuffix("_at")
    detail = {"message": row.id, "template": row.template, "reason": reason}
    runs.note(connection, row.run_id, 0, at, row.step, what, detail)
