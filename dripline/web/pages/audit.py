"""The audit log, for an admin to read."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from dripline.clock import MachineClock
from dripline.store.audit import Wanted, kinds_of_acts, list_acts
from dripline.store.tallies import tallied
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame

LINES = 50
LATELY = timedelta(days=7)
_Day = Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$")]


def add_audit(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/audit`."""

    @router.get("/audit", dependencies=[allows("govern")])
    def audit(
        what: Annotated[str, Query(max_length=32)] = "",
        by: Annotated[str, Query(max_length=256)] = "",
        since: _Day = "",
        after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    ) -> HTMLResponse:
        """What people did, newest first."""
        week = machine() - LATELY
        with frame.store.read() as connection:
            wanted = Wanted(_begin(since, frame), what or None, by or None)
            found = list_acts(connection, wanted, after, LINES + 1)
            kinds = kinds_of_acts(connection)
            refused = {**tallied(connection, "webhook.", week), **tallied(connection, "login.", week)}
        return frame.page(
            "audit.html",
            here="audit",
            refused=refused,
            acts=found[:LINES],
            next=found[LINES - 1].id if len(found) > LINES else None,
            kinds=sorted({kind.partition("-")[0] for kind in kinds if "-" in kind} | set(kinds)),
            chosen={"what": what or None, "by": by or None, "since": since or None, "after": after},
        )


def _begin(since: str, frame: Frame) -> datetime | None:
    """The beginning of that day in the workspace's zone; None for no day, or one that there is not."""
    try:
        return datetime.combine(datetime.fromisoformat(since), time(), frame.zone) if since else None
    except ValueError:
        return None
