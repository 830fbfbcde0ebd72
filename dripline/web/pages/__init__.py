"""The pages: journeys, runs and messages as they are, what waits for a person, a lead's story. No scripts."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from dripline.clock import MachineClock
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.allowing import allows
from dripline.web.cookies import Cookies
from dripline.web.keyring import KeyRing
from dripline.web.pages.account import add_account
from dripline.web.pages.answering import add_answering
from dripline.web.pages.audit import add_audit
from dripline.web.pages.campaigns import add_campaigns
from dripline.web.pages.discounts import add_discounts
from dripline.web.pages.frame import Frame
from dripline.web.pages.friends import add_friends
from dripline.web.pages.held import add_held
from dripline.web.pages.journeys import add_journeys
from dripline.web.pages.keys import add_keys
from dripline.web.pages.leads import add_leads
from dripline.web.pages.login import add_login
from dripline.web.pages.mailbox import add_mailbox
from dripline.web.pages.overview import add_overview
from dripline.web.pages.people import add_people
from dripline.web.pages.products import add_products
from dripline.web.pages.reports import add_reports
from dripline.web.pages.segments import add_segments
from dripline.web.pages.steering import add_steering
from dripline.web.pages.surveys import add_surveys
from dripline.web.pages.team import add_team


def build_pages(
    settings: Settings,
    store: Store,
    workspace: Workspace,
    machine: MachineClock,
    cookies: Cookies,
    keys: KeyRing,
) -> APIRouter:
    """The router of the pages."""
    secret = settings.secret.get_secret_value() if settings.secret else None
    frame, port = Frame(store, workspace, machine, secret), settings.port
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    at_least = [allows("look")]  # more is said at the route
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, dependencies=at_least)
    add_overview(router, frame, port)
    add_journeys(router, frame)
    add_campaigns(router, frame, machine)
    add_reports(router, frame, machine)
    add_mailbox(router, frame)
    add_held(router, frame)
    add_leads(router, frame)
    add_surveys(router, frame, machine)
    add_products(router, frame)
    add_segments(router, frame)
    add_discounts(router, frame, machine)
    add_friends(router, frame)
    add_steering(router, frame, machine)
    add_team(router, frame, machine)
    add_answering(router, frame, machine)
    live = settings.environment == "production"
    add_account(router, frame, cookies, machine)
    add_people(router, frame, settings.public_url, machine)
    add_keys(router, frame, keys, machine, live=live)
    add_audit(router, frame, machine)
    pages.include_router(router)
    add_login(pages, frame, cookies, machine)
    _add_style(pages)
    return pages


def _add_style(router: APIRouter) -> None:
    css = resources.files("dripline.web").joinpath("templates/style.css").read_text("utf-8")

    @router.get("/static/style.css")
    def style() -> Response:
        """The style sheet."""
        return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=60"})


__all__ = ["build_pages"]
