"""The keys that callers come with, remembered for a moment."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from dripline.access.caller import HOUSE_KEY, Caller
from dripline.access.keys import find_key, hash_of, is_alive, is_use_worth_noting, note_use
from dripline.access.roles import Role
from dripline.clock import MachineClock
from dripline.store.database import UNAVAILABLE, Store

REMEMBERED = 3.0
"""Seconds for which a key is not looked up again: so late a revoked one is refused at the latest."""


@dataclass(frozen=True)
class Known:
    """A key that is alive: whose it is, and how often it may be used."""

    caller: Caller
    per_minute: int | None
    until: datetime | None
    """When it is over (machine time)."""


class KeyRing:
    """Finds the caller by the key. Unknown keys are not remembered, so that nobody can fill the memory with them."""

    def __init__(
        self,
        store: Store,
        house_key: str | None,
        per_minute: int,
        machine: MachineClock,
        ticking: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._machine, self._ticking = store, machine, ticking
        self._house_key = house_key.encode() if house_key else None
        self._per_minute = per_minute
        self._seen: dict[str, tuple[float, Known]] = {}

    def remembered(self, secret: str) -> Known | None:
        """The key as it was a moment ago, without asking the store; None: ask it."""
        if self._house_key and hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), self._house_key):
            return Known(HOUSE_KEY, None, None)
        seen_at, known = self._seen.get(hash_of(secret), (0.0, None))
        if known is None or self._ticking() - seen_at > REMEMBERED:
            return None
        return known if known.until is None or known.until > self._machine() else None

    def look_up(self, secret: str) -> Known | None:
        """The key as the store has it. Blocks. Raises what the store raises while it is away."""
        machine_now = self._machine()
        with self._store.read() as connection:
            row = find_key(connection, secret)
        if row is None or not is_alive(row, machine_now):
            self._seen.pop(hash_of(secret), None)
            return None
        if is_use_worth_noting(row, machine_now):
            self._note(row, machine_now)
        caller = Caller(
            "key", row.id, f"{row.name} ({row.prefix}…)", frozenset(row.scopes), _role(row.scopes)
        )
        known = Known(caller, row.per_minute or self._per_minute, row.expires_at)
        self._seen[row.hash] = (self._ticking(), known)
        return known

    def forget(self) -> None:
        """Look every key up again."""
        self._seen.clear()

    def _note(self, row: Row[Any], machine_now: datetime) -> None:
        try:
            with self._store.write() as connection:
                note_use(connection, row, machine_now)
        except UNAVAILABLE:  # it is only for people to look at: the next look-up tries again
            pass


def _role(scopes: list[str]) -> Role | None:
    """As whom the key looks at the pages."""
    if "admin" in scopes:
        return "admin"
    return "author" if "leads:read" in scopes else None
