"""Bringing friends as the API, the command line and the sweep use it: each call its own transactions."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
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
from dripline.store.audit import record_act
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import House, open_house
from dripline.store.rules import current_rules

PUT_OFF = timedelta(hours=1)
"""How long a referral that cannot be settled is left alone (house time): others must not wait behind it."""

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

    def revoke(self, code: str, why: str, by: str | None) -> Row[Any]:
        """Let nobody come by a code any more, and keep who said so. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            row = referrals.find_code(connection, code)
            if row is None:
                raise Refused(404, "unknown-code", "Nobody brings friends by this code.")
            now = self._times(open_house(connection))
            referrals.revoke_code(connection, row.plain_code, now.house)
            record_act(connection, "referral-code-revoked", by, why, now.machine, lead=row.lead_id)
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

    def refuse(self, referral: str, reason: str, by: str | None) -> Row[Any]:
        """Let nobody be rewarded for a friend, by hand, and keep who said so. Raises Refused."""

        def do(connection: Connection) -> Row[Any]:
            house = open_house(connection, self._secret)
            return refuse(connection, referral, reason, by, lambda: self._times(house))

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
        """Do what is due by now, of so many at most and for so long; how many there were.

        One that cannot be done, whatever the reason, is put off: it holds up no other.
        """
        with self._store.read() as connection:
            now = self._times(open_house(connection, self._secret)).house
            waiting = referrals.due(connection, now, most)
        give_up, number = time.monotonic() + seconds, 0
        for referral in waiting:
            try:
                self.settle(referral)
            except UNAVAILABLE:  # nothing can be done of any
                raise
            except Exception as trouble:  # its words may tell of people: its kind does for finding it
                _log.warning("referral-waits", referral=referral, error=type(trouble).__name__)
                self._put_off(referral)
            number += 1
            if time.monotonic() > give_up:
                break
        return number

    def _put_off(self, referral: str) -> None:
        def do(connection: Connection) -> None:
            now = self._times(open_house(connection, self._secret)).house
            referrals.put_off(connection, referral, now, now + PUT_OFF)

        transaction(self._store, do)

    def _times(self, house: House) -> Times:
        machine_now = self._machine()
        return Times(house.clock.to_house(machine_now), machine_now)


def _hinted(hint: str) -> str:
    return f": {hint}" if hint else ""
