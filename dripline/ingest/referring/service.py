"""Bringing friends as the API, the command line and the sweep use it: each call its own transactions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.following import Times
from dripline.ingest.identity import Reference, resolve
from dripline.ingest.living import lock_living
from dripline.ingest.recording import record
from dripline.ingest.referring.joining import Arrival, Joined, join
from dripline.ingest.referring.settling import refuse, settle
from dripline.ingest.refusal import Refused
from dripline.ingest.transaction import transaction
from dripline.language.problems import did_you_mean
from dripline.store import referrals
from dripline.store.database import Store
from dripline.store.house import House, open_house
from dripline.store.rules import current_rules

_log = structlog.get_logger(__name__)


class Referring:
    """Gives leads their codes, takes friends in, tells and rewards who brought them. Blocking."""

    def __init__(
        self,
        store: Store,
        secret: str | None = None,
        machine: MachineClock = machine_clock,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._secret = secret
        self._machine = machine
        self._nudge = nudge

    def code(self, lead: Reference, program: str) -> Row[Any]:
        """The lead's code for a program: the one that it has, else a new one. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            known = current_rules(connection).referrals
            if program not in known:
                hint = did_you_mean(program, known)
                raise Refused(404, "unknown-program", f"There is no program of that name{_hinted(hint)}.")
            row = lock_living(connection, resolve(connection, lead))
            house = open_house(connection, self._secret)
            at = self._times(house).house
            return referrals.give_code(connection, row.id, program, house.secret, at)

        return transaction(self._store, do)

    def revoke(self, code: str) -> Row[Any]:
        """Let nobody come by a code any more. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            row = referrals.find_code(connection, code)
            if row is None:
                raise Refused(404, "unknown-code", "Nobody brings friends by this code.")
            at = self._times(open_house(connection)).house
            referrals.revoke_code(connection, row.plain_code, at)
            return row

        return transaction(self._store, do)

    def join(self, lead: Reference, came: Arrival) -> Joined:
        """Somebody comes by a code. Again, it is what it was. Raises Refused."""

        def do(connection: Connection) -> Joined:
            friend = lock_living(connection, resolve(connection, lead))
            house = open_house(connection, self._secret)
            now = self._times(house)
            done = join(connection, house, current_rules(connection), friend, came, now.house)
            for event in done.told:
                record(connection, event, now.machine)
            return done

        done = transaction(self._store, do)
        if done.new:
            self.settle(done.row.id)
        return done

    def refuse(self, referral: str, reason: str) -> Row[Any]:
        """Let nobody be rewarded for a friend, by hand. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            house = open_house(connection, self._secret)
            return refuse(connection, referral, reason, lambda: self._times(house))

        row = transaction(self._store, do)
        self._nudge()
        return row

    def settle(self, referral: str) -> Row[Any]:
        """Do for one referral what is due by now. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            house = open_house(connection, self._secret)
            return settle(connection, house, referral, lambda: self._times(house))

        row = transaction(self._store, do)
        self._nudge()
        return row

    def settle_due(self, most: int, seconds: float) -> int:
        """Do what is due by now, of so many at most and for so long; how many there were."""
        with self._store.read() as connection:
            now = self._times(open_house(connection, self._secret)).house
            waiting = referrals.due(connection, now, most)
        give_up, number = time.monotonic() + seconds, 0
        for referral in waiting:
            try:
                self.settle(referral)
            except Refused as refusal:  # erased meanwhile: the next look finds it so
                _log.warning("referral-waits", referral=referral, code=refusal.code)
            number += 1
            if time.monotonic() > give_up:
                break
        return number

    def _times(self, house: House) -> Times:
        machine_now = self._machine()
        return Times(house.clock.to_house(machine_now), machine_now)


def _hinted(hint: str) -> str:
    return f": {hint}" if hint else ""
