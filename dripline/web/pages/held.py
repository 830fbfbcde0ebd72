"""What waits for a person, and how it is answered: here, or by a command."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from dripline.store.held import STATES, Alike, Held, Wanted, braked, count_held, group_held, list_held
from dripline.store.overview import house_clock
from dripline.web.pages.frame import Frame

SHOWN = 50
GROUPS = 20


def add_held(router: APIRouter, frame: Frame) -> None:
    """Add `/held`."""

    @router.get("/held")
    def everything_held(
        state: Annotated[str | None, Query(pattern=f"^({'|'.join(STATES)})$")] = None,
        journey: Annotated[str | None, Query(max_length=128)] = None,
    ) -> HTMLResponse:
        """Held and uncertain messages and parked runs, the longest waiting first."""
        wanted = Wanted((state,) if state else STATES, journey)
        clock = house_clock(frame.store)
        with frame.store.read() as connection:
            rows = list_held(connection, clock, wanted, SHOWN + 1)
            groups = group_held(connection, wanted, GROUPS)
            counts = count_held(connection)
            stopped, paused = braked(connection)
        return frame.page(
            "held.html",
            here="held",
            rows=[(row, answers(row)) for row in rows[:SHOWN]],
            more=len(rows) > SHOWN,
            groups=[(group, answers_all(group)) for group in groups if group.number > 1],
            counts=counts,
            stopped=stopped,
            paused=paused,
            chosen={"state": state, "journey": journey},
        )


def answers(one: Held) -> tuple[str, str]:
    """The commands that let it go on, and that end it."""
    # Beginnings of runs' ids are times: of many runs made at once they are the same.
    id_ = shlex.quote(one.id if one.is_run else one.id[:12])
    again = "dripline runs retry" if one.is_run else "dripline held --send"
    return f"{again} {id_}{_twice(one.may_double)}", f"dripline held --skip {id_}"


def answers_all(group: Alike) -> tuple[str, str]:
    """The same for all that are alike."""
    chosen = f"--journey {shlex.quote(group.journey)}"
    if group.reason:
        chosen += f" --reason {shlex.quote(group.reason)}"
    again = (
        "dripline runs retry" if group.state == "parked" else f"dripline held --send --state {group.state}"
    )
    skip = f"dripline held --skip --state {group.state} --all {chosen}"
    return f"{again} --all {chosen}{_twice(group.may_double)}", skip


def _twice(may_double: bool) -> str:
    return " --may-double" if may_double else ""
