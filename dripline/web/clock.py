"""House time, for whoever only looks."""

from __future__ import annotations

from sqlalchemy import select

from dripline.clock import HouseClock
from dripline.store.database import Store
from dripline.store.schema import house


def house_clock(store: Store) -> HouseClock:
    """The installation's clock; the machine's own where nobody has opened the house yet."""
    with store.read() as connection:
        row = connection.execute(select(house)).one_or_none()
    if row is None:
        return HouseClock()
    return HouseClock(machine_epoch=row.machine_epoch, house_epoch=row.house_epoch, rate=row.rate)
