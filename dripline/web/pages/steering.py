"""What a publisher does on the pages: the brakes. Each is asked on a page of its own before it is done."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from dripline.clock import MachineClock
from dripline.ingest.refusal import Refused
from dripline.store.braking import pause_journey, resume_journey, start_everything, stop_everything
from dripline.store.publications import followed
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

_Journey = Annotated[str, Path(max_length=128)]
Why = Annotated[str, Form(max_length=500)]
_STEER = allows("steer")


def add_steering(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/stop-all`, `/start-all`, and below `/journeys/ID` `pause` and `resume`."""

    def asked(title: str, says: str, button: str, action: str, back: str, **more: Any) -> HTMLResponse:
        context = {"grave": False, "why": True, "clock": False, "rows": [], "fields": {}, "doubling": 0}
        return frame.page(
            "confirm.html",
            title=title,
            says=says,
            button=button,
            action=action,
            back=back,
            **{**context, **more},
        )

    @router.get("/stop-all", dependencies=[_STEER])
    def ask_stop() -> HTMLResponse:
        """Shall everything be stopped?"""
        says = (
            "No message leaves any more, of any journey. What comes due is held, not lost; leads, events and"
            " webhooks are still taken, and runs go on with their waits."
        )
        return asked("Stop everything?", says, "Stop everything", "/stop-all", "/", grave=True)

    @router.post("/stop-all", dependencies=[_STEER])
    def stop(why: Why = "") -> Response:
        """Pull the brake."""
        with frame.store.write() as connection:
            stop_everything(connection, machine(), visit().said, _said(why))
        return RedirectResponse("/", 303)

    @router.get("/start-all", dependencies=[_STEER])
    def ask_start() -> HTMLResponse:
        """Shall messages leave again?"""
        says = "Messages leave again. What was held meanwhile stays held until somebody answers it."
        return asked("Let messages leave again?", says, "Let them leave", "/start-all", "/")

    @router.post("/start-all", dependencies=[_STEER])
    def start(why: Why = "") -> Response:
        """Release the brake, and show what it held."""
        with frame.store.write() as connection:
            _, waiting = start_everything(connection, machine(), visit().said, _said(why))
        return RedirectResponse("/held" if waiting else "/", 303)

    @router.get("/journeys/{journey}/pause", dependencies=[_STEER])
    def ask_pause(journey: _Journey) -> HTMLResponse:
        """Shall this journey be paused?"""
        with frame.store.read() as connection:
            _known(connection, journey)
        says = "Nobody enters it, and its messages are held, until somebody lets it go on."
        at = f"/journeys/{journey}"
        return asked(f"Pause {journey}?", says, "Pause it", f"{at}/pause", at, grave=True, clock=True)

    @router.post("/journeys/{journey}/pause", dependencies=[_STEER])
    def pause(
        journey: _Journey, why: Why = "", clock: Annotated[str, Form(pattern="^(run|freeze)$")] = "run"
    ) -> Response:
        """Pause it."""
        with frame.store.write() as connection:
            _known(connection, journey)
            freezes = clock == "freeze"
            pause_journey(connection, journey, machine(), visit().said, _said(why), freezes=freezes)
        return RedirectResponse(f"/journeys/{journey}", 303)

    @router.get("/journeys/{journey}/resume", dependencies=[_STEER])
    def ask_resume(journey: _Journey) -> HTMLResponse:
        """Shall this journey go on?"""
        with frame.store.read() as connection:
            _known(connection, journey)
        says = (
            "Leads enter it again, and its messages leave. What was held meanwhile stays held until somebody"
            " answers it. Waits that stood still go on where they stopped, within some minutes."
        )
        at = f"/journeys/{journey}"
        return asked(f"Let {journey} go on?", says, "Let it go on", f"{at}/resume", at)

    @router.post("/journeys/{journey}/resume", dependencies=[_STEER])
    def resume(journey: _Journey, why: Why = "") -> Response:
        """Let it go on; the sweep puts off waits that stood still."""
        with frame.store.write() as connection:
            _known(connection, journey)
            done = resume_journey(connection, journey, machine(), visit().said, _said(why))
        return RedirectResponse(f"/held?journey={journey}" if done.waiting else f"/journeys/{journey}", 303)


def _known(connection: Connection, journey: str) -> None:
    if journey not in {one.journey for one in followed(connection)}:
        raise Refused(404, "unknown-journey", "There is no published journey of that name.")


def _said(why: str) -> str | None:
    return " ".join(why.split()) or None
