"""People for tests."""

from __future__ import annotations

from functools import cache

from dripline.access.passwords import hash_password
from dripline.access.people import invite, set_password
from dripline.access.roles import Role
from dripline.clock import machine_clock
from dripline.store.database import Store

PASSWORD = "a long walk by the lake"


@cache
def _kept() -> str:
    return hash_password(PASSWORD)


def a_person(store: Store, role: Role = "viewer", email: str | None = None, name: str | None = None) -> str:
    """Somebody who has chosen PASSWORD; their id."""
    with store.write() as connection:
        now = machine_clock()
        made = invite(connection, email or f"{role}@example.com", role, now, "ani", name)
        set_password(connection, made.user_id, _kept(), now, "password-chosen")
    return made.user_id
