"""Where tracked links and pixels lead: the reader goes on at once, and what came is written down behind its back.

A link works whatever becomes of us: its token alone says where it leads. While the store is away, or for a message
that is gone, only the count is lost.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

import structlog
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dripline.clock import MachineClock
from dripline.ingest.hits import Hit, take_hit
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.tracking import CLICK_PATH, OPEN_PATH, Tokens
from dripline.tracking.machines import machine
from dripline.web.pages.frame import build_templates
from dripline.web.public import ROBOTS, link_page, stranger

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one transparent pixel, always the same."""

_FOREVER_NEW = "no-store, no-cache, must-revalidate, max-age=0"

_log = structlog.get_logger(__name__)


def build_tracking(
    settings: Settings,
    store: Store,
    workspace: Workspace,
    machine: MachineClock,
    undecided: Callable[[], None],
    nudge: Callable[[], None],
) -> APIRouter:
    """The router of `/c/` and `/o/`. `undecided` is called when something is to be decided later."""
    router = APIRouter(include_in_schema=False)
    desk = _Desk(settings, store, workspace, machine, undecided, nudge)
    router.api_route(f"{CLICK_PATH}{{token:path}}", methods=["GET", "HEAD"])(desk.click)
    router.api_route(f"{OPEN_PATH}{{name:path}}", methods=["GET", "HEAD"])(desk.open)
    return router


class _Desk:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        workspace: Workspace,
        clock: MachineClock,
        undecided: Callable[[], None],
        nudge: Callable[[], None],
    ) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock
        self._undecided, self._nudge = undecided, nudge
        self._secret = settings.secret.get_secret_value() if settings.secret else None
        self._known = Tokens(self._secret) if self._secret else None
        self._templates = build_templates()

    async def click(self, token: str, request: Request) -> Response:
        """On to where the link leads."""
        try:
            found = (await self._tokens()).read_click(token)
        except UNAVAILABLE as trouble:  # only before the first of all requests, and without DRIPLINE_SECRET
            _log.warning("store-away", path=f"{CLICK_PATH}{{token}}", error=type(trouble).__name__)
            return self._page("later", request, 503)
        if found is None:
            return self._page("unknown", request, 404)
        hit = Hit(found.message, "click", machine("click", request.method, _headers(request)), found.address)
        # The address is sent as it was sealed: no library may "mend" it.
        headers = {"Location": found.address, "Cache-Control": _FOREVER_NEW, "X-Robots-Tag": ROBOTS}
        return Response(status_code=302, headers=headers, background=BackgroundTask(self._keep, hit))

    async def open(self, name: str, request: Request) -> Response:
        """The pixel."""
        try:
            message = (await self._tokens()).read_open(name.removesuffix(".gif"))
        except UNAVAILABLE as trouble:
            _log.warning("store-away", path=f"{OPEN_PATH}{{token}}", error=type(trouble).__name__)
            return _pixel(None)
        if message is None or not name.endswith(".gif"):
            return Response(status_code=404)
        hit = Hit(message, "open", machine("open", request.method, _headers(request)))
        return _pixel(BackgroundTask(self._keep, hit))

    async def _tokens(self) -> Tokens:
        """Made once, so that links work when the store has gone away."""
        if self._known is None:
            self._known = await run_in_threadpool(self._read_secret)
        return self._known

    def _read_secret(self) -> Tokens:
        with self._store.read() as connection:
            return Tokens(open_house(connection).secret)

    def _keep(self, hit: Hit) -> None:
        try:
            later = take_hit(self._store, hit, self._workspace.tracking, self._secret, self._clock)
        except UNAVAILABLE as trouble:
            _log.warning("hit not kept", message=hit.message, kind=hit.kind, error=type(trouble).__name__)
            return
        (self._undecided if later else self._nudge)()

    def _page(self, page: str, request: Request, status: int) -> Response:
        root = "../" * request.url.path.count("/", 1) + "l/"
        return link_page(self._templates, page, stranger(request, self._workspace), status, root=root)


def _pixel(task: BackgroundTask | None) -> Response:
    headers = {"Cache-Control": _FOREVER_NEW, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(PIXEL, media_type="image/gif", headers=headers, background=task)


def _headers(request: Request) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


__all__ = ["PIXEL", "build_tracking"]
