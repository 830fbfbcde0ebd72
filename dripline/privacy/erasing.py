"""Erasing a lead: the whole person, with every lead that was merged into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from dripline.clock import MachineClock, machine_clock
from dripline.engine.effects import Outcome
from dripline.ingest.refusal import Refused, erased_lead, unknown_lead
from dripline.privacy.journal import Journal
from dripline.privacy.mentions import names_of, once_merged, scrub_campaigns, scrub_mentions
from dripline.privacy.scrubbing import Person, drop_rows, find_person, scrub
from dripline.store import messages, runs, schema, suppressions
from dripline.store.assignments import end_assignments
from dripline.store.audit import record_act
from dripline.store.database import Store, lock_run
from dripline.store.house import House, open_house
from dripline.store.leads import lock_leads, survivor_id
from dripline.store.tasks import cancel_tasks_of
from dripline.store.wakes import want_wake

NOT_SENT = "lead erased"
"""Why a message is not sent that was waiting."""

_RACES = 5


@dataclass(frozen=True)
class Erased:
    """What went. `leads` are the one that was named and those merged into it; `rows` counts by table."""

    leads: tuple[str, ...]
    rows: Mapping[str, int]
    runs_ended: int
    messages_skipped: int
    on_their_way: int
    """Messages that a provider is being given at this moment: they may still leave."""
    addresses: int
    """Addresses that are on the suppression list now, as keyed hashes."""


class Eraser:
    """Erases leads. Blocking."""

    def __init__(
        self,
        store: Store,
        secret: str | None = None,
        journal: Journal | None = None,
        machine: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._secret = secret
        self._journal = journal
        self._machine = machine

    def preview(self, lead_id: str) -> Erased:
        """What `erase` would do now; nothing is changed. Raises Refused."""
        with self._store.write() as connection, connection.begin_nested() as trial:
            found = self._erase(connection, lead_id, None, None)
            trial.rollback()
        return found

    def erase(self, lead_id: str, by: str | None, why: str | None = None) -> Erased:
        """Erase the person. Raises Refused: unknown (404), erased already (410).

        No later import makes us write to its addresses again, unless it signs up itself.
        """
        with self._store.write() as connection:
            done = self._erase(connection, lead_id, by, why)
        if self._journal is not None:
            self._journal.note(done.leads, self._machine())
        self._store.forget()
        return done

    def let_go(self, lead_id: str, provided: ColumnElement[bool]) -> bool:
        """Erase a lead whom nobody asked to erase, if its row is still as `provided`; whether it was done.

        It may come back: no address is suppressed. Nothing but a count is audited, by the caller. Who was in no
        journey leaves no row behind.
        """
        with self._store.write() as connection:
            try:
                ids = _lock_person(connection, lead_id)
            except Refused:  # somebody was quicker
                return False
            table = schema.leads
            if connection.execute(select(table.c.id).where(table.c.id == lead_id, provided)).first() is None:
                return False
            house = open_house(connection, self._secret)
            at = house.clock.to_house(self._machine())
            person = find_person(connection, house, ids)
            _forget_elsewhere(connection, house, person)
            scrub(connection, person)
            _leave_people(connection, ids, at)
            connection.execute(update(table).where(table.c.id.in_(ids)).values(erased_at=at, updated_at=at))
            drop_rows(connection, ids)
        return True

    def again(self, lead_ids: Sequence[str], by: str | None) -> int:
        """Erase those of the leads that are here and are not erased, as after a restore; how many."""
        table = schema.leads
        number = 0
        for lead_id in lead_ids:
            with self._store.write() as connection:
                there = select(table.c.id).where(table.c.id == lead_id, table.c.erased_at.is_(None))
                if connection.execute(there).one_or_none() is None:
                    continue
                self._erase(connection, lead_id, by, "erased before the restore")
                number += 1
        self._store.forget()
        return number

    def _erase(self, connection: Connection, lead_id: str, by: str | None, why: str | None) -> Erased:
        house = open_house(connection, self._secret)
        machine_now = self._machine()
        at = house.clock.to_house(machine_now)
        ids = _lock_person(connection, lead_id)
        person = find_person(connection, house, ids)
        _forget_elsewhere(connection, house, person)
        waiting, leaving = _open_messages(connection, person)
        rows = scrub(connection, person)
        ended = _end_runs(connection, person, at)
        _skip(connection, waiting, at, machine_now)
        _leave_people(connection, ids, at)
        connection.execute(
            update(schema.leads).where(schema.leads.c.id.in_(ids)).values(erased_at=at, updated_at=at)
        )
        addresses = _suppress(connection, person, at)
        want_wake(connection, ended, machine_now)
        done = Erased(person.leads, rows, len(ended), len(waiting), leaving, addresses)
        counts = {"runs": done.runs_ended, "skipped": done.messages_skipped, "rows": dict(rows)}
        record_act(connection, "erase", by, why, machine_now, leads=list(person.leads), **counts)
        return done


def _lock_person(connection: Connection, lead_id: str) -> tuple[str, ...]:
    """Lock the lead with all that were merged into it, in the one order; their ids. Raises Refused."""
    for _ in range(_RACES):
        ids = _cluster(connection, survivor_id(connection, lead_id))
        rows = lock_leads(connection, [*ids, *once_merged(connection, ids)])
        rows = {one: row for one, row in rows.items() if one in ids}
        if not rows:
            raise unknown_lead()
        if set(_cluster(connection, survivor_id(connection, lead_id))) == set(ids):
            if all(row.erased_at is not None for row in rows.values()):
                raise erased_lead()
            return ids
    raise Refused(409, "busy", "Others are changing this lead at the same moment. Try again.")


def _cluster(connection: Connection, lead_id: str) -> tuple[str, ...]:
    """The lead and all that have become it."""
    table = schema.leads
    found, newest = {lead_id}, {lead_id}
    while newest:
        query = select(table.c.id).where(table.c.merged_into.in_(newest))
        newest = set(connection.execute(query).scalars()) - found
        found |= newest
    return tuple(sorted(found))


def _forget_elsewhere(connection: Connection, house: House, person: Person) -> None:
    """Who was one with another lead until that was taken back is named in what the other did meanwhile.

    And anybody may be named by a condition that was made up for one campaign.
    """
    others, names = once_merged(connection, person.leads), names_of(connection, person)
    if others:
        scrub_mentions(connection, find_person(connection, house, others), names)
    scrub_campaigns(connection, names)


def _open_messages(connection: Connection, person: Person) -> tuple[list[str], int]:
    """The messages that wait to be sent, or to be settled, and how many are being sent."""
    table = schema.messages
    query = select(table.c.id, table.c.state).where(
        table.c.lead_id.in_(person.leads), table.c.state.in_(("queued", "held", "uncertain", "sending"))
    )
    rows = connection.execute(query.with_for_update()).all()
    waiting = [row.id for row in rows if row.state != "sending"]
    return waiting, len(rows) - len(waiting)


def _skip(connection: Connection, ids: Sequence[str], at: datetime, machine_now: datetime) -> None:
    for message_id in ids:
        messages.decide(connection, message_id, machine_now, NOT_SENT, skipped_at=at)


def _leave_people(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    """Nobody has the lead any more, nor anything to do for it: it takes up nobody's place."""
    for lead_id in ids:
        end_assignments(connection, lead_id, at, "erased")
        cancel_tasks_of(connection, lead_id, at)


def _end_runs(connection: Connection, person: Person, at: datetime) -> list[str]:
    table = schema.runs
    query = select(table.c.id).where(table.c.lead_id.in_(person.leads), table.c.ended_at.is_(None))
    ids = list(connection.execute(query.order_by(table.c.id)).scalars())
    for run_id in ids:
        row = lock_run(connection, run_id)
        assert row is not None  # runs are never deleted, and their lead is locked
        then = max(at, row.last_at)
        connection.execute(
            update(table)
            .where(table.c.id == run_id)
            .values(**runs.ended(Outcome("erased"), then), last_at=then, wait=None, until=None, held_at=None)
        )
        runs.note(
            connection, run_id, row.turn, then, row.step, "ended", {"outcome": "erased", "reason": None}
        )
    outbox = schema.outbox
    connection.execute(
        update(outbox).where(outbox.c.run_id.in_(ids), outbox.c.done_at.is_(None)).values(done_at=at)
    )
    return ids


def _suppress(connection: Connection, person: Person, at: datetime) -> int:
    hashes = [(channel, value) for channel, values in person.hashes.items() for value in sorted(values)]
    for channel, value in hashes:
        suppressions.suppress(connection, channel, value, suppressions.ERASED, at)
    return len(hashes)


__all__ = ["Erased", "Eraser"]
