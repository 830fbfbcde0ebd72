"""A publisher's answer to what waits for a person: let it go on, or leave it out; asked before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from dripline.clock import MachineClock
from dripline.ingest.refusal import Refused
from dripline.store.answers import answer_each, send_held, skip_held
from dripline.store.held import STATES, Held, Wanted, braked, list_held
from dripline.store.overview import house_clock
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.pages.steering import Why
from dripline.web.visit import visit

SHOWN = 10
MOST = 2_000
"""Answered by one click: what is more takes longer than a browser waits."""

BY_HAND = "skipped by a person"
_STEER = allows("steer")
_Do = Literal["send", "skip"]


@dataclass(frozen=True)
class Which:
    """What is meant: one by its id, or all that are alike."""

    id: str | None
    state: str | None
    journey: str | None
    reason: str | None

    def find(self, connection: Connection, frame: Frame) -> list[Held]:
        """Those that wait now, at most MOST of them."""
        if not self.id and not (self.state and self.journey):
            raise Refused(422, "invalid", "Say which.")
        states = (self.state,) if self.state else STATES
        wanted = Wanted(states, self.journey, None, self.reason, (self.id,) if self.id else ())
        found = list_held(connection, house_clock(frame.store), wanted, MOST)
        if self.id:
            return [one for one in found if one.id == self.id]
        return [one for one in found if not self.reason or one.reason == self.reason]


def add_answering(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/held/answer`."""

    @router.get("/held/answer", dependencies=[_STEER])
    def ask(
        do: _Do,
        id: Annotated[str | None, Query(max_length=64)] = None,  # noqa: A002 - as the address says it
        state: Annotated[str | None, Query(pattern=f"^({'|'.join(STATES)})$")] = None,
        journey: Annotated[str | None, Query(max_length=128)] = None,
        reason: Annotated[str | None, Query(max_length=2_000)] = None,
    ) -> HTMLResponse:
        """Which these are, and whether it shall be done."""
        which = Which(id, state, journey, reason)
        with frame.store.read() as connection:
            found = which.find(connection, frame)
            barred = _barred(connection, found) if do == "send" else ""
        if not found:
            raise Refused(404, "settled", "This waits for nobody any more: it was settled in the meantime.")
        one = len(found) == 1
        return frame.page(
            "confirm.html",
            here="held",
            title=("Let it go on?" if one else f"Let {len(found):,} go on?")
            if do == "send"
            else ("Leave it out?" if one else f"Leave {len(found):,} out?"),
            says=_says(do, found),
            barred=barred,
            button="Let it go on" if do == "send" else "Leave it out",
            action="/held/answer",
            back="/held",
            grave=do == "skip",
            why=do == "skip",
            clock=False,
            rows=found[:SHOWN],
            more=len(found) - SHOWN,
            doubling=sum(one.may_double for one in found) if do == "send" else 0,
            fields={"do": do, "id": id, "state": state, "journey": journey, "reason": reason},
        )

    @router.post("/held/answer", dependencies=[_STEER])
    def do_it(
        do: Annotated[_Do, Form()],
        id: Annotated[str | None, Form(max_length=64)] = None,  # noqa: A002 - as above
        state: Annotated[str | None, Form(pattern=f"^({'|'.join(STATES)})$")] = None,
        journey: Annotated[str | None, Form(max_length=128)] = None,
        reason: Annotated[str | None, Form(max_length=2_000)] = None,
        may_double: Annotated[bool, Form()] = False,
        why: Why = "",
    ) -> Response:
        """Do it, as `dripline held --send` and `--skip` do."""
        with frame.store.read() as connection:
            found = Which(id, state, journey, reason).find(connection, frame)
            barred = _barred(connection, found) if do == "send" else ""
        if barred:
            raise Refused(409, "braked", barred)
        if do == "send":
            found = [one for one in found if may_double or not one.may_double]
        said = " ".join(why.split()) or BY_HAND

        def skip(
            connection: Connection, part: Sequence[Held], at: datetime, machine_now: datetime, by: str
        ) -> set[str]:
            return skip_held(connection, part, at, machine_now, by, said)

        clock, by = house_clock(frame.store), visit().said
        if do == "send":
            answer_each(frame.store, clock, found, send_held, machine, "send-held", by)
        else:
            answer_each(frame.store, clock, found, skip, machine, "skip-held", by, said)
        return RedirectResponse("/held", 303)


def _says(do: _Do, found: list[Held]) -> str:
    runs = sum(one.is_run for one in found)
    if do == "send":
        return "Messages leave in a moment, and runs try again." if runs else "It leaves in a moment."
    ends = "The run ends where it stands." if len(found) == runs else "Runs end where they stand."
    return ends if len(found) == runs else "It is never sent." + (f" {ends}" if runs else "")


def _barred(connection: Connection, found: list[Held]) -> str:
    """Why messages would only be held again, if they would."""
    stopped, paused = braked(connection)
    if stopped and any(not one.is_run for one in found):
        return "Everything is stopped: messages would only be held again."
    held = sorted({one.journey for one in found if not one.is_run} & set(paused))
    return f"Journey {held[0]} is paused: its messages would only be held again." if held else ""
