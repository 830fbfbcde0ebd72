"""Who comes to the pages: people who have logged in, and, while nobody has to, whoever sits at this very machine.

In production everybody logs in. Elsewhere somebody at this machine needs no login until the first person was added:
from then on the pages ask for it, so that the audit log can name people.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from dripline.access.caller import HERE, Caller
from dripline.access.people import is_anybody_there
from dripline.access.sessions import find_session, is_sight_worth_noting, note_sight
from dripline.clock import MachineClock
from dripline.store.database import UNAVAILABLE, Store
from dripline.web.access import is_here
from dripline.web.cookies import Cookies
from dripline.web.problems import answer
from dripline.web.visit import FIELD, Visit

WITHOUT_LOGIN = ("/login", "/invitation/", "/static/")
"""Pages for those who are not logged in yet."""

_FIELDS = 200


class Visitors:
    """Finds out who looks at a page, and whether a form that is sent is one of ours."""

    def __init__(
        self, store: Store, cookies: Cookies, public_url: str, machine: MachineClock, *, in_production: bool
    ) -> None:
        self._store, self._cookies, self._machine = store, cookies, machine
        self._in_production = in_production
        self._public = urlsplit(public_url).netloc.lower()

    async def receive(self, scope: Scope) -> Visit | Response:
        """The visit, or where to log in. Raises what the store raises while it is away."""
        found, token = await run_in_threadpool(self._look_up, scope)
        seed = self._cookies.seed(scope)
        one = Visit(found, token) if seed is None else Visit(found, token, seed, is_seed_new=False)
        if found is not None or is_open(scope["path"]):
            return one
        return _to_login(scope)

    def refusal_of_form(self, scope: Scope, visit: Visit, body: bytes) -> Response | None:
        """Why a form is not taken: another site made the browser send it, or it was shown to somebody else."""
        if scope["method"] in ("GET", "HEAD"):
            return None
        if self._is_from_here(scope) and visit.sent_ours(_token(body)):
            return None
        detail = (
            "This form was not taken: it is too old, or not from this page."
            " Go back, load the page anew, and try again."
        )
        return answer(Request(scope), 403, "not-our-form", detail)

    def seed_header(self, scope: Scope, visit: Visit) -> str | None:
        """The cookie that the visitor needs for the forms on the page."""
        if visit.is_seed_new and visit.is_seed_used:
            return self._cookies.seed_header(scope, visit.seed)
        return None

    def _look_up(self, scope: Scope) -> tuple[Caller | None, str | None]:
        token, now = self._cookies.session(scope), self._machine()
        with self._store.read() as connection:
            row = find_session(connection, token, now) if token else None
            open_here = row is None and is_here(scope) and not self._asks(connection)
        if row is None or token is None:
            return (HERE if open_here else None), None
        if is_sight_worth_noting(row, now):
            self._note(token)
        return Caller("user", row.id, row.name or row.email, frozenset(), row.role), token

    def _asks(self, connection: Connection) -> bool:
        return self._in_production or is_anybody_there(connection)

    def _note(self, token: str) -> None:
        try:
            with self._store.write() as connection:
                note_sight(connection, token, self._machine())
        except UNAVAILABLE:  # the next page notes it
            pass

    def _is_from_here(self, scope: Scope) -> bool:
        """Whether the browser says that one of our own pages sent it (all browsers say so of a POST)."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "same-origin") == "same-origin"
        netloc = urlsplit(origin).netloc.lower() if "://" in origin else ""
        return netloc != "" and netloc in (headers.get("host", "").lower(), self._public)


def is_open(path: str) -> bool:
    """Whether a page is for those who are not logged in, too."""
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in WITHOUT_LOGIN)


def _to_login(scope: Scope) -> Response:
    if scope["method"] in ("GET", "HEAD") and "text/html" in Headers(scope=scope).get("accept", ""):
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse("/login" if wanted == "/" else f"/login?{urlencode({'next': wanted})}", 303)
    return answer(Request(scope), 401, "no-login", "Log in first, at /login.")


def _token(body: bytes) -> str:
    try:
        fields = parse_qs(body.decode("utf-8"), max_num_fields=_FIELDS)
    except ValueError:
        return ""
    return fields.get(FIELD, [""])[0]
