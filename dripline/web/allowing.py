"""What somebody's role must allow for a page: said at the route, and held there."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Depends
from fastapi.params import Depends as Needed

from dripline.access.roles import ACTS, Act
from dripline.ingest.refusal import Refused
from dripline.web.visit import visit


class Allows:
    """Lets those in whose role may do that; to others the page says from which role on."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __call__(self) -> None:
        """Refuse who may not."""
        if not visit().may(self.act):
            role, does = ACTS[self.act]
            raise Refused(403, "role", f"To {does}, somebody has to be {_a(role)}.")


def allows(act: Act) -> Needed:
    """For a route's `dependencies`: only for those whose role may do that."""
    check: Callable[[], None] = Allows(act)
    return Depends(check)  # type: ignore[no-any-return]


def _a(role: str) -> str:
    return f"{'an' if role[0] in 'a' else 'a'} {role}, or more" if role != "admin" else "an admin"
