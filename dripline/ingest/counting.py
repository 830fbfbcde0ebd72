"""Counting what is bought together, and what is bought most: anew now and then, out of the orders of a year.

A count reads once and writes only what is different, in small transactions; whoever reads meanwhile finds some of
the old and some of the new, which is no worse than either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dripline.clock import MachineClock, machine_clock
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.pairs import (
    Counted,
    count_orders,
    count_pairs,
    count_products,
    counted_products,
    drop_pairs,
    kept_pairs,
    newest_item,
    save_pairs,
    set_ordered,
)

PERIOD = timedelta(days=365)
"""How far back orders count (house time)."""
EVERY = timedelta(hours=1)
"""How often is counted, at most (machine time), where there are new orders."""
LEAST = 2
"""Orders that had both: fewer are chance."""
_CHUNK = 500


class Counter:
    """Counts when it is time to."""

    def __init__(self, store: Store, machine: MachineClock = machine_clock) -> None:
        self._store = store
        self._machine = machine
        self._counted_at: datetime | None = None
        self._newest: tuple[int, datetime] | None = None

    def count(self) -> int:
        """Count anew, where an hour has passed and orders are new or a day is; how much is different now."""
        now = self._machine()
        if self._counted_at is not None and now - self._counted_at < EVERY:
            return 0
        with self._store.read() as connection:
            newest = newest_item(connection)
        self._counted_at = now
        if self._newest is not None and self._newest[0] == newest and now - self._newest[1] < 24 * EVERY:
            return 0
        self._newest = (newest, now)
        return count_anew(self._store, self._machine)


def count_anew(store: Store, machine: MachineClock = machine_clock) -> int:
    """Count what was bought together in the last year; how many rows are different from before."""
    with store.read() as connection:
        since = open_house(connection).clock.to_house(machine()) - PERIOD
        wanted = dict(_counted(connection, since))
        known = kept_pairs(connection)
        ordered = count_products(connection, since)
        shown = counted_products(connection)
    gone = sorted(known.keys() - wanted.keys())
    new = sorted((key, counts) for key, counts in wanted.items() if known.get(key) != counts)
    changed = sorted((id_, ordered.get(id_, 0)) for id_, was in shown.items() if ordered.get(id_, 0) != was)
    for start in range(0, len(gone), _CHUNK):
        with store.write() as connection:
            drop_pairs(connection, gone[start : start + _CHUNK])
    for start in range(0, len(new), _CHUNK):
        with store.write() as connection:
            save_pairs(connection, new[start : start + _CHUNK])
    for start in range(0, len(changed), _CHUNK):
        with store.write() as connection:
            set_ordered(connection, changed[start : start + _CHUNK])
    return len(gone) + len(new) + len(changed)


def _counted(connection: Connection, since: datetime) -> Iterator[tuple[tuple[str, str], Counted]]:
    """Every pair in both directions, as far as the one is in such orders more often than in any."""
    ordered: Mapping[str, int] = count_products(connection, since)
    whole = count_orders(connection, since)
    for one, other, both in count_pairs(connection, since, LEAST):
        if both * whole > ordered[one] * ordered[other]:
            yield (one, other), (both, ordered[one], ordered[other], whole)
            yield (other, one), (both, ordered[other], ordered[one], whole)
