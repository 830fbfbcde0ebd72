"""Coming in and going out: the login, and the link by which somebody chooses a password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dripline.access.entering import log_in
from dripline.access.keys import hash_of
from dripline.access.passwords import SHORTEST, TooWeak, check_password, hash_password
from dripline.access.people import find_invited, is_anybody_there, set_password
from dripline.access.sessions import end_session
from dripline.clock import MachineClock
from dripline.web.access import network_of, visitor_address
from dripline.web.cookies import Cookies
from dripline.web.pace import Pace
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

FROM_ONE_PLACE, FOR_ONE_PERSON = 30, 10
"""Logins a minute that are looked at: a network address's, and an e-mail address's, known or not."""

WRONG = (
    "That did not work. The address or the password is wrong, or there were too many wrong ones:"
    " after five, nobody comes in for a quarter of an hour."
)

Email = Annotated[str, Form(max_length=320)]
Password = Annotated[str, Form(max_length=1_000)]
_Token = Annotated[str, Path(max_length=128)]


def add_login(router: APIRouter, frame: Frame, cookies: Cookies, machine: MachineClock) -> None:
    """Add `/login`, `/logout` and `/invitation/TOKEN`."""
    pace = Pace()

    def asked(next_: str, wrong: str = "", email: str = "", status: int = 200) -> HTMLResponse:
        with frame.store.read() as connection:
            anybody = is_anybody_there(connection)
        page = frame.bare("login.html", next=next_, wrong=wrong, email=email, anybody=anybody)
        page.status_code = status
        return page

    @router.get("/login")
    def login(next: str = "/") -> Response:  # noqa: A002 - the name that is seen in the address
        """Where somebody says who they are."""
        return _to(next) if visit().session else asked(_ours(next))

    @router.post("/login")
    def enter(
        request: Request,
        email: Email,
        password: Password,
        next: Annotated[str, Form(max_length=2_000)] = "/",  # noqa: A002 - as above
    ) -> Response:
        """Log somebody in, by a session that is new: whoever planted one before has nothing of it."""
        place = network_of(visitor_address(request.scope))
        person = hash_of(email.strip().lower())
        wait = max(pace.wait(FROM_ONE_PLACE, "place", place), pace.wait(FOR_ONE_PERSON, "person", person))
        if wait:
            page = asked(_ours(next), f"Too many tries. Wait {wait} seconds.", email, 429)
            page.headers["Retry-After"] = str(wait)
            return page
        token = log_in(frame.store, email, password, machine(), visit().session)
        if token is None:
            return asked(_ours(next), WRONG, email, 401)
        response = _to(next)
        cookies.keep_session(response, request.scope, token)
        return response

    @router.post("/logout")
    def leave(request: Request) -> Response:
        """Log this browser out."""
        token = visit().session
        if token:
            with frame.store.write() as connection:
                end_session(connection, token)
        response = RedirectResponse("/login", 303)
        cookies.drop_session(response, request.scope)
        return response

    _add_invitation(router, frame, machine)


def _add_invitation(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    def shown(token: str, wrong: str = "") -> HTMLResponse:
        with frame.store.read() as connection:
            row = find_invited(connection, token, machine())
        page = frame.bare(
            "invitation.html", user=row, wrong=wrong, shortest=SHORTEST, path=f"/invitation/{token}"
        )
        page.status_code = 410 if row is None else 422 if wrong else 200
        return page

    @router.get("/invitation/{token}")
    def invited(token: _Token) -> HTMLResponse:
        """Asks for a password. To look does not use the link up: mail scanners look, too."""
        return shown(token)

    @router.post("/invitation/{token}")
    def accept(token: _Token, password: Password, again: Password) -> Response:
        """Keep the password; the link is used up."""
        with frame.store.read() as connection:
            row = find_invited(connection, token, machine())
        if row is None:
            return shown(token)
        try:
            check_password(password, row.email)
        except TooWeak as reason:
            return shown(token, str(reason))
        if password != again:
            return shown(token, "The two are not the same.")
        kept = hash_password(password)
        with frame.store.write() as connection:
            if find_invited(connection, token, machine()) is None:
                return shown(token)
            set_password(connection, row.id, kept, machine(), "password-chosen")
        return RedirectResponse("/login", 303)


def _to(wanted: str) -> Response:
    return RedirectResponse(_ours(wanted), 303)


def _ours(wanted: str) -> str:
    """The page that was wanted, if it is one of ours: nobody is sent elsewhere from here."""
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if inside and "\\" not in wanted else "/"
