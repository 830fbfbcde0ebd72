"""The pages: journeys, runs and messages as they are, what waits for a person, a lead's story. No scripts."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from dripline.clock import MachineClock
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.web.pages.frame import Frame
from dripline.web.pages.held import add_held
from dripline.web.pages.journeys import add_journeys
from dripline.web.pages.leads import add_leads
from dripline.web.pages.mailbox import add_mailbox
from dripline.web.pages.overview import add_overview


def build_pages(store: Store, workspace: Workspace, port: int, machine: MachineClock) -> APIRouter:
    """The router of the pages. `port` is told in the examples."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    frame = Frame(store, workspace, machine)
    add_overview(router, frame, port)
    add_journeys(router, frame)
    add_mailbox(router, frame)
    add_held(router, frame)
    add_leads(router, frame)
    _add_style(router)
    return router


def _add_style(router: APIRouter) -> None:
    css = resources.files("dripline.web").joinpath("templates/style.css").read_text("utf-8")

    @router.get("/static/style.css")
    def style() -> Response:
        """The style sheet."""
        return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=60"})


__all__ = ["build_pages"]
