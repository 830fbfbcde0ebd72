"""Where the links lead that leads give to their friends: on to the page of the offer, with the code at hand."""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dripline.clock import MachineClock
from dripline.drawing.qr import qr_png, qr_svg
from dripline.engine.calendar import add
from dripline.language.referrals import ReferralEntry
from dripline.language.workspace import Workspace
from dripline.links import FRIENDS, friends_link
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.discounts import is_code
from dripline.store.referrals import count_visit, find_code
from dripline.tracking.machines import machine as machine_of
from dripline.web.access import network_of, visitor_address
from dripline.web.cookies import Cookies
from dripline.web.pace import Pace
from dripline.web.pages.frame import build_templates
from dripline.web.public import ROBOTS, link_page, stranger

REF = "ref"
"""By which name the code comes to the page of the offer."""

PER_MINUTE = 60
"""Links that one network may follow, or see as pictures: nobody needs more, but who looks for codes does."""

_PICTURES = {"png": "image/png", "svg": "image/svg+xml"}
_log = structlog.get_logger(__name__)


def build_friends(settings: Settings, store: Store, workspace: Workspace, machine: MachineClock) -> APIRouter:
    """The router of `/r/`."""
    router = APIRouter(include_in_schema=False)
    desk = _Desk(settings, store, workspace, machine)
    router.api_route(f"{FRIENDS}{{code}}.{{kind}}", methods=["GET", "HEAD"])(desk.picture)
    router.api_route(f"{FRIENDS}{{code}}", methods=["GET", "HEAD"])(desk.follow)
    return router


class _Desk:
    def __init__(self, settings: Settings, store: Store, workspace: Workspace, machine: MachineClock) -> None:
        self._store, self._workspace, self._machine = store, workspace, machine
        self._public_url = settings.public_url
        self._cookies = Cookies(settings.public_url)
        self._templates = build_templates()
        self._pace = Pace()

    def follow(self, code: str, request: Request) -> Response:
        """On to the page of the offer. The browser remembers the code, where the program says so."""
        if self._pace.wait(PER_MINUTE, network_of(visitor_address(request.scope))):
            return self._page("later", request, 429)
        try:
            found = self._find(code)
        except UNAVAILABLE as trouble:
            _log.warning("store-away", path=f"{FRIENDS}{{code}}", error=type(trouble).__name__)
            return self._page("later", request, 503)
        program = self._workspace.referrals.get(found[1]) if found else None
        if found is None or program is None:
            return self._page("unknown-friend", request, 404)
        counts = machine_of("click", request.method, dict(request.headers)) is None
        task = BackgroundTask(self._count, found[2]) if counts else None
        # Our own form is named by its address relative to this one: a proxy may have put us under a path.
        response = RedirectResponse(_offer(program, found[0]), 303, background=task)
        response.headers.update({"Cache-Control": "no-store", "X-Robots-Tag": ROBOTS})
        if program.remembers is not None:
            self._remember(response, request, program, found[0])
        return response

    def picture(self, code: str, kind: str, request: Request) -> Response:
        """The link as a picture to scan."""
        if self._pace.wait(PER_MINUTE, network_of(visitor_address(request.scope))):
            return Response(status_code=429, headers={"Retry-After": "60"})
        if kind not in _PICTURES or not is_code(code):
            return self._page("unknown-friend", request, 404)
        try:
            found = self._find(code)
        except UNAVAILABLE:
            return Response(status_code=503, headers={"Retry-After": "30"})
        if found is None:
            return self._page("unknown-friend", request, 404)
        link = friends_link(self._public_url, found[0])
        content = qr_png(link) if kind == "png" else qr_svg(link).encode()
        headers = {
            "Cache-Control": "public, max-age=86400",
            "Cross-Origin-Resource-Policy": "cross-origin",  # it stands in e-mails, and on pages of others
            "X-Robots-Tag": ROBOTS,
        }
        return Response(content, media_type=_PICTURES[kind], headers=headers)

    def _find(self, code: str) -> tuple[str, str, str] | None:
        """The code as it is written, its program, and the code as it is compared."""
        if not is_code(code):  # a wrong letter is seen without asking the store
            return None
        with self._store.read() as connection:
            row = find_code(connection, code)
        return (row.code, row.program, row.plain_code) if row is not None else None

    def _count(self, plain: str) -> None:
        try:
            with self._store.write() as connection:
                count_visit(connection, plain)
        except UNAVAILABLE as trouble:
            _log.warning("visit not counted", error=type(trouble).__name__)

    def _remember(self, response: Response, request: Request, program: ReferralEntry, code: str) -> None:
        """Who comes back to the form later still comes by this code; the device keeps the name that it was given."""
        known = read_cookie(self._cookies.friend(request.scope))
        device = known[1] if known else secrets.token_hex(8)
        assert program.remembers is not None  # the caller has seen it
        now = self._machine()
        lasts = add(now, program.remembers, self._workspace.zone) - now
        value = f"{code}.{device}"
        self._cookies.remember_friend(response, request.scope, value, lasts // timedelta(seconds=1))

    def _page(self, page: str, request: Request, status: int) -> Response:
        wait = {"Retry-After": "60"} if status in (429, 503) else None
        reader = stranger(request, self._workspace)
        return link_page(self._templates, page, reader, status, root="../l/", headers=wait)


def read_cookie(value: str | None) -> tuple[str, str] | None:
    """The code and the device that a browser remembers; None for what we have not set."""
    code, _, device = (value or "").partition(".")
    return (code, device) if is_code(code) and len(device) == 16 and device.isalnum() else None


def _offer(program: ReferralEntry, code: str) -> str:
    if program.form is not None:
        return f"../f/{program.form}?{urlencode({REF: code})}"
    parts = urlsplit(program.landing or "")
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != REF]
    return urlunsplit(parts._replace(query=urlencode([*query, (REF, code)])))


__all__ = ["REF", "build_friends", "read_cookie"]
