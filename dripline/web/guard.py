"""The door: who comes in, how much they may bring, and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dripline.links import FRIENDS, PATH
from dripline.tracking import CLICK_PATH, OPEN_PATH
from dripline.web.entrance import Entrance
from dripline.web.problems import problem
from dripline.web.segment.addresses import CORS, MAX_TRACKED, TRACKING
from dripline.web.visit import Visit, begin_visit
from dripline.web.visitors import Visitors

MAX_BODY = 1_000_000
"""Bytes that a request's body may have."""

MAX_FORM = 10_000
"""Bytes of what a reader's browser or mail program may send to a link of a message."""

MAX_WEB_FORM = 65_536
"""Bytes that a form of a web page may bring."""

MAX_UNNAMED = 600_000
"""Bytes of a body that is looked into for a write key before it is known who sends it: browsers send 500 KB at once
at most, and to read ten times as much keeps everybody else waiting."""

MAX_MAIL = 10_000_000
"""Bytes of an e-mail that a provider hands over, attachments and all."""

MAIL = "/webhooks/sendgrid/inbound"
"""Where it does so."""

FORMS = "/f/"
"""Where forms of web pages are."""

OPEN_TO_ALL = ("/health", "/ready", "/webhooks/", PATH, FORMS, FRIENDS, CLICK_PATH, OPEN_PATH)
"""Addresses that tell nothing of leads, or that check their callers by themselves (signatures)."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Guard:
    """ASGI middleware; the outermost, so that nothing is done for a request that is not let in."""

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by itself, or let the app answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, _HEADERS)
        if _is_unreadable(scope):
            unreadable = problem(400, "malformed", "The address is not UTF-8, or holds a NUL character.")
            await unreadable(scope, receive, send)
            return
        path: str = scope["path"]
        if path in TRACKING:
            send = _with_headers(send, CORS)
        is_open = any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN_TO_ALL)
        body: bytes | None = None
        if not is_open:
            if self._entrance.looks_into_the_body(scope):
                most = MAX_UNNAMED if path in TRACKING else MAX_WEB_FORM
                body = await _body(scope, receive, most)
                if body is None:
                    await _too_large(most)(scope, receive, send)
                    return
            admitted = await self._entrance.admit(scope, body or b"")
            send = _with_headers(send, admitted.headers)
            if admitted.visit is not None:
                begin_visit(admitted.visit)
                send = _with_seed(send, self._entrance.visitors, scope, admitted.visit)
            if admitted.refusal is not None:
                await admitted.refusal(scope, receive, send)
                return
        if body is None:
            limit = _limit(path)
            body = await _body(scope, receive, limit)
            if body is None:
                await _too_large(limit)(scope, receive, send)
                return
        await self._app(scope, _replay(body, receive), send)


def _too_large(limit: int) -> Response:
    return problem(413, "too-large", f"The body may have {limit:,} bytes.", headers={"Connection": "close"})


def _limit(path: str) -> int:
    """Bytes that a body may have there."""
    if path.startswith(PATH):
        return MAX_FORM
    if path.startswith(MAIL):
        return MAX_MAIL
    if path.startswith(FORMS):
        return MAX_WEB_FORM
    return MAX_TRACKED if path in TRACKING else MAX_BODY


def _is_unreadable(scope: Scope) -> bool:
    raw = unquote_to_bytes(scope.get("raw_path") or b"") + unquote_to_bytes(scope.get("query_string") or b"")
    try:
        return "\x00" in raw.decode("utf-8") or "\x00" in scope["path"]
    except UnicodeDecodeError:
        return True


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None if it is larger than may be."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdigit() or int(length[:20]) > limit:
        return None
    chunks = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None  # the caller has gone: half a body is none, and nobody reads the answer
        chunks += message.get("body", b"")
        if len(chunks) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _with_headers(send: Send, values: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in values.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _with_seed(send: Send, visitors: Visitors, scope: Scope, visit: Visit) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = visitors.seed_header(scope, visit)
            if header is not None:
                MutableHeaders(scope=message).append("set-cookie", header)
        await send(message)

    return sending
