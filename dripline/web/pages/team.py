"""The pages of those who look after leads: how everybody stands, and what is to be done."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dripline.clock import MachineClock
from dripline.ingest.hands import Hands
from dripline.store.filling import colleagues, quality
from dripline.store.overview import house_clock
from dripline.store.tasks import list_tasks
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

_READS = allows("read-leads")
SHOWN = 200
"""Tasks that the page shows at most."""


def add_team(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/team` and `/tasks`."""
    hands = Hands(frame.store, frame.workspace, machine=machine)

    @router.get("/team")
    def team() -> HTMLResponse:
        """How everybody stands, and how well the cards are filled in."""
        cards = frame.workspace.cards
        with frame.store.read() as connection:
            now = house_clock(frame.store).to_house(machine())
            rows = colleagues(connection, list(frame.workspace.people), now)
            filled = quality(connection, cards) if cards else {}
        people, teams = frame.workspace.people, frame.workspace.teams
        return frame.page("team.html", here="team", rows=rows, people=people, teams=teams, filled=filled)

    @router.get("/tasks", dependencies=[_READS])
    def tasks(person: Annotated[str | None, Query(max_length=128)] = None) -> HTMLResponse:
        """What is to be done, of everybody or of one person."""
        with frame.store.read() as connection:
            now = house_clock(frame.store).to_house(machine())
            rows = list_tasks(connection, person=person or None, limit=SHOWN)
        people = list(frame.workspace.people)
        return frame.page(
            "tasks.html",
            here="tasks",
            rows=rows,
            people=people,
            called=frame.called,
            person=person or None,
            now=now,
        )

    @router.post("/tasks/{task}/done", dependencies=[_READS])
    def done(
        task: Annotated[str, Path(max_length=64)],
        result: Annotated[str, Form(max_length=1_000)] = "",
        back: Annotated[Literal["tasks", "lead"], Form()] = "tasks",
    ) -> Response:
        """It is done: journeys that wait for it go on. `back` is the page on which that was said."""
        done = hands.finish_task(task, visit().said, result.strip() or None)
        return RedirectResponse(f"/leads/{done.lead_id}#tasks" if back == "lead" else "/tasks", 303)
