"""Ingest as the web process uses it: each call one transaction, then a nudge for whoever wakes the runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import uuid_utils
from sqlalchemy import Connection
from sqlalchemy import Row as Found

from dripline.clock import MachineClock, machine_clock
from dripline.ingest import redeeming
from dripline.ingest.batch import record_rows, summary
from dripline.ingest.change import read_change
from dripline.ingest.deferring import Deferral, defer, read_deferral
from dripline.ingest.enrolment import enrol
from dripline.ingest.following import Times, follow
from dripline.ingest.forms import Submission, Submitted, Visitor, submit
from dripline.ingest.identity import read_reference, resolve
from dripline.ingest.importing.many import import_chunk
from dripline.ingest.importing.rows import Imported, Order, Rows
from dripline.ingest.inbound import Came, Taken, take
from dripline.ingest.incoming import EnrolIn, EventIn, LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.merging.merge import Cause, Merged, merge
from dripline.ingest.merging.unmerge import Unmerged, unmerge
from dripline.ingest.once import Answer, Request, once, remembered
from dripline.ingest.preferring import Preferences, Wish, prefer, read_preferences
from dripline.ingest.reading import Outcome, Row, coerced_properties, read_rows, refuse_ours
from dripline.ingest.recording import record
from dripline.ingest.referring.service import Referring
from dripline.ingest.surveys.clicking import Asked, Said, pick, read_asked, say
from dripline.ingest.transaction import transaction
from dripline.language.completeness import doubts, lacks
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import House, open_house
from dripline.store.leads import facts, load_lead, lock_survivor

T = TypeVar("T")

GoFirst = Callable[[], AbstractContextManager[object]]
"""While it is entered, whoever shares the process with a batch stands back."""

_CHUNK = 100
"""Rows of a batch in one transaction: few enough to hold other writers up for moments only."""


class Ingest:
    """Takes in leads, events and enrolments. Blocking: call it in threads."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        nudge: Callable[[], None] = lambda: None,
        machine: MachineClock = machine_clock,
        secret: str | None = None,
        go_first: GoFirst = nullcontext,
        *,
        trying: bool = False,
    ) -> None:
        """`trying`: journeys are tried here, by made-up leads; so Dripline's own events may be said, too."""
        self._store = store
        self._workspace = workspace
        self._nudge = nudge
        self._machine = machine
        self._secret = secret
        self._go_first = go_first
        self._trying = trying

    def upsert_lead(self, said: LeadIn) -> Answer:
        """Make or change a lead: 201 or 200. Raises Refused."""
        change = read_change(said, self._workspace)

        def do(connection: Connection) -> Answer:
            done = upsert(connection, change, self._now(connection), self._machine())
            known = facts(load_lead(connection, done.lead_id))
            body: dict[str, Any] = {
                "id": done.lead_id,
                "created": done.created,
                "changed": list(done.changed),
                "lacks": lacks(known),
                "doubts": doubts(known),
            }
            return Answer(201 if done.created else 200, body)

        return self._change(do)

    def record_event(self, said: EventIn, request: Request | None = None) -> Answer:
        """Record an event: 202, the same again where it is known already. Raises Refused."""
        if not self._trying:
            refuse_ours(said.name)
        properties = coerced_properties(said.name, said.properties, self._workspace)
        reference = read_reference(said.lead, self._workspace.default_region)

        def do(connection: Connection) -> Answer:
            lead_id = resolve(connection, reference)
            lock_survivor(
                connection, lead_id
            )  # before the clock is read: so times are in the order of the locks
            now = self._now(connection)
            event_id = said.id or str(uuid_utils.uuid7())
            event = _event(said, event_id, lead_id, properties, now)
            done = record(connection, event, self._machine())
            return Answer(202, {"id": done.event_id, "lead": done.lead_id})

        return self._change(
            lambda connection: once(connection, request, self._machine(), lambda: do(connection))
        )

    def record_batch(self, rows: list[Any], request: Request | None = None) -> Answer:
        """Record events, each by itself: 202 if all were taken, else 207 with what was wrong with which.

        With a request key, a row without an id gets one from the key, so that a repeat after a crash half-way
        doubles nothing.
        """
        with self._store.read() as connection:
            kept = remembered(connection, request)
        if kept:
            return kept
        good, outcomes = read_rows(rows, self._workspace, _ids(request), trying=self._trying)
        with self._go_first():
            for start in range(0, len(good), _CHUNK):
                outcomes += self._record_chunk(good[start : start + _CHUNK])
        self._nudge()
        answer = summary(outcomes)
        return self._transaction(
            lambda connection: once(connection, request, self._machine(), lambda: answer)
        )

    def enrol(self, journey: str, said: EnrolIn, request: Request | None = None) -> Answer:
        """Start a run of a journey for a lead: 202. Raises Refused: unknown journey, paused, or barred."""
        reference = read_reference(said.lead, self._workspace.default_region)

        def do(connection: Connection) -> Answer:
            lead_id = resolve(connection, reference)
            lock_survivor(connection, lead_id)
            now = self._now(connection)
            done = enrol(connection, self._workspace, lead_id, journey, said.properties, now, self._machine())
            return Answer(
                202, {"run": done.run_id, "lead": done.lead_id, "journey": journey, "event": done.event_id}
            )

        return self._change(
            lambda connection: once(connection, request, self._machine(), lambda: do(connection))
        )

    def follow(self, claim: Claim, everything: bool = False) -> bool:
        """Do what a link says; whether what it says is so now. `everything`: unsubscribe from the channel."""

        def do(connection: Connection) -> bool:
            house = open_house(connection, self._secret)
            return follow(connection, self._workspace, house, claim, self._clock(house), everything)

        return self._nudged(do)

    def preferences(self, claim: Claim) -> Preferences | None:
        """What a lead gets and may choose, by the link of its page; None where the link has outlived its lead."""
        with self._store.read() as connection:
            return read_preferences(connection, self._workspace, claim, self._now(connection))

    def prefer(self, claim: Claim, wish: Wish) -> Preferences | None:
        """Make what the lead chose so, as far as the link may; what it gets then. None as above."""

        def do(connection: Connection) -> Preferences | None:
            house = open_house(connection, self._secret)
            return prefer(connection, self._workspace, house, claim, self._clock(house), wish)

        done = self._transaction(do)
        self._nudge()
        return done

    def asked(self, claim: Claim) -> Asked | None:
        """What the message of a link asks, and what was answered; None where the link has outlived its lead."""
        with self._store.read() as connection:
            return read_asked(connection, claim)

    def pick(self, claim: Claim, answer: str) -> bool:
        """Remember that an answer was clicked: it counts a little later, if a person did it."""

        def do(connection: Connection) -> bool:
            house = open_house(connection, self._secret)
            return pick(connection, house.clock, claim, answer, self._clock(house)())

        return self._transaction(do)

    def say(self, claim: Claim, said: Said) -> Asked | None:
        """Take what the page of a survey sent; what is so then. None as above."""

        def do(connection: Connection) -> Asked | None:
            house = open_house(connection, self._secret)
            return say(connection, claim, said, self._clock(house)())

        done = self._transaction(do)
        self._nudge()
        return done

    def deferral(self, claim: Claim) -> Deferral | None:
        """What a lead may say by the link that names a day; None where the link has outlived its lead."""
        with self._store.read() as connection:
            return read_deferral(connection, self._workspace, claim, self._now(connection))

    def defer(self, claim: Claim, choose: Callable[[Deferral], date | None]) -> Deferral | None:
        """Keep the day that `choose` takes, if it can be named. None as above."""

        def do(connection: Connection) -> Deferral | None:
            times = self._clock(open_house(connection, self._secret))
            return defer(connection, self._workspace, claim, times, choose)

        return self._nudged(do)

    def submit(self, submission: Submission, visitor: Visitor) -> Submitted:
        """Keep what a visitor sent by a form. Raises Refused where the lead was erased."""

        def do(connection: Connection) -> Submitted:
            house, machine_now = open_house(connection, self._secret), self._machine()
            now = house.clock.to_house(machine_now)
            return submit(connection, self._workspace, house, submission, visitor, now, machine_now)

        done = self._nudged(do)
        if done.referral is not None:
            Referring(self._store, self._secret, self._machine, self._nudge).settle(done.referral)
        return done

    def take_in(self, came: Came) -> Taken:
        """Keep a message that a lead wrote, and do what it says."""

        def do(connection: Connection) -> Taken:
            house, machine_now = open_house(connection, self._secret), self._machine()
            return take(connection, house, came, house.clock.to_house(machine_now), machine_now)

        done = self._transaction(do)
        self._nudge()
        return done

    def redeem(self, code: str, order: redeeming.Purchase) -> Found[Any]:
        """Redeem a discount for an order, once; its row. Raises Refused."""
        return self._shop(lambda c, clock: redeeming.redeem(c, code, order, self._workspace.currency, clock))

    def reserve(self, code: str, reference: str, lead: str | None, lasts: timedelta) -> Found[Any]:
        """Keep a discount for an order for a while; its row. Raises Refused."""
        return self._shop(lambda c, clock: redeeming.reserve(c, code, reference, lead, lasts, clock))

    def release(self, code: str, reference: str, lead: str | None) -> Found[Any]:
        """Let others redeem what was kept for an order; the row. Raises Refused."""
        return self._shop(lambda c, clock: redeeming.release(c, code, reference, lead))

    def revoke(self, code: str, lead: str | None, why: str, by: str | None) -> Found[Any]:
        """Take a discount back; its row. Raises Refused."""
        return self._shop(lambda c, clock: redeeming.revoke(c, redeeming.find(c, code, lead), why, by, clock))

    def revoke_id(self, discount_id: str, why: str, by: str | None) -> Found[Any]:
        """The same of the discount of that id."""
        return self._shop(
            lambda c, clock: redeeming.revoke(c, redeeming.find_id(c, discount_id), why, by, clock)
        )

    def _shop(self, do: Callable[[Connection, redeeming.Clock], Found[Any]]) -> Found[Any]:
        row = self._transaction(lambda connection: do(connection, self._clock(open_house(connection))))
        self._nudge()
        return row

    def import_leads(
        self, rows: Rows, order: Order, *, import_id: str | None = None, dry_run: bool = False
    ) -> list[Imported]:
        """Keep a chunk of a file's rows (line and change). A dry run changes nothing."""

        def do(connection: Connection) -> list[Imported]:
            machine = self._machine
            return import_chunk(
                connection, self._workspace, rows, order, lambda: self._now(connection), machine, import_id
            )

        return self._dry_run(do) if dry_run else self._transaction(do)

    def merge_leads(
        self,
        one: str,
        other: str,
        cause: Cause,
        *,
        into: str | None = None,
        by: str | None = None,
        why: str | None = None,
        dry_run: bool = False,
    ) -> Merged:
        """Make one lead of two, by their ids. A dry run changes nothing. Raises Refused."""

        def do(connection: Connection) -> Merged:
            return merge(connection, one, other, cause, self._times(connection), into=into, by=by, why=why)

        return self._dry_run(do) if dry_run else self._nudged(do)

    def undo_merge(
        self, merge_id: str, *, by: str | None = None, why: str | None = None, dry_run: bool = False
    ) -> Unmerged:
        """Make two leads again of the one. A dry run changes nothing. Raises Refused."""

        def do(connection: Connection) -> Unmerged:
            return unmerge(connection, merge_id, self._times(connection), by=by, why=why)

        return self._dry_run(do) if dry_run else self._nudged(do)

    def _dry_run(self, do: Callable[[Connection], T]) -> T:
        with self._store.write() as connection, connection.begin_nested() as trial:
            outcome = do(connection)
            trial.rollback()
        return outcome

    def _record_chunk(self, rows: list[Row]) -> list[Outcome]:
        return self._transaction(
            lambda connection: record_rows(connection, rows, lambda: self._now(connection), self._machine)
        )

    def _change(self, do: Callable[[Connection], Answer]) -> Answer:
        return self._nudged(do)

    def _nudged(self, do: Callable[[Connection], T]) -> T:
        done = self._transaction(do)
        self._nudge()
        return done

    def _transaction(self, do: Callable[[Connection], T]) -> T:
        return transaction(self._store, do)

    def _times(self, connection: Connection) -> Times:
        return Times(self._now(connection), self._machine())

    def _clock(self, house: House) -> Callable[[], Times]:
        def times() -> Times:
            machine_now = self._machine()
            return Times(house.clock.to_house(machine_now), machine_now)

        return times

    def _now(self, connection: Connection) -> datetime:
        """House time now."""
        return open_house(connection).clock.to_house(self._machine())


def _event(said: EventIn, event_id: str, lead_id: str, properties: Mapping[str, Any], now: datetime) -> Event:
    return Event(event_id, lead_id, said.name, properties, now, said.occurred_at, said.historical)


def _ids(request: Request | None) -> Callable[[int], str]:
    if request is None:
        return lambda _index: str(uuid_utils.uuid7())
    stem = hashlib.sha256(f"{request.key}:{request.hash}".encode()).hexdigest()[:40]
    return lambda index: f"{stem}.{index}"
