"""Keys for tests."""

from __future__ import annotations

from dripline.access.keys import NewKey, create_key
from dripline.access.scopes import read_scopes
from dripline.clock import machine_clock
from dripline.store.database import Store


def a_key(store: Store, *scopes: str, name: str = "the shop", per_minute: int | None = None) -> NewKey:
    """A living key with these scopes."""
    with store.write() as connection:
        now = machine_clock()
        return create_key(connection, name, read_scopes(scopes), now, "ani", live=True, per_minute=per_minute)
