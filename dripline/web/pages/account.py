"""One's own account: what one may do, another password, and logging out everywhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dripline.access.passwords import SHORTEST, TooWeak, check_password, hash_password, is_right
from dripline.access.people import find_user_by_id, set_password
from dripline.access.roles import ACTS
from dripline.access.sessions import begin_session, end_sessions
from dripline.clock import MachineClock
from dripline.ingest.refusal import Refused
from dripline.store.audit import record_act
from dripline.web.allowing import allows
from dripline.web.cookies import Cookies
from dripline.web.pace import Pace
from dripline.web.pages.frame import Frame
from dripline.web.pages.login import FOR_ONE_PERSON, Password
from dripline.web.visit import visit


def add_account(router: APIRouter, frame: Frame, cookies: Cookies, machine: MachineClock) -> None:
    """Add `/account`."""
    pace = Pace()

    def shown(wrong: str = "", status: int = 200) -> HTMLResponse:
        caller = visit().caller
        with frame.store.read() as connection:
            row = find_user_by_id(connection, caller.id) if caller and caller.id else None
        page = frame.page(
            "account.html",
            email=row.email if row else "",
            here="account",
            acts=ACTS,
            wrong=wrong,
            shortest=SHORTEST,
        )
        page.status_code = status
        return page

    @router.get("/account", dependencies=[allows("look")])
    def account() -> HTMLResponse:
        """Who one is here."""
        return shown()

    @router.post("/account/password", dependencies=[allows("look")])
    def change(request: Request, current: Password, password: Password, again: Password) -> Response:
        """Another password; every other browser is logged out, and this one has a new session."""
        user_id = _own_id()
        if pace.wait(FOR_ONE_PERSON, user_id):
            return shown("Too many tries. Wait a minute.", 429)
        with frame.store.read() as connection:
            row = find_user_by_id(connection, user_id)
        if row is None or not is_right(row.password, current):
            return shown("The present password is another one.", 422)
        try:
            check_password(password, row.email)
        except TooWeak as reason:
            return shown(str(reason), 422)
        if password != again:
            return shown("The two new ones are not the same.", 422)
        kept, now = hash_password(password), machine()
        with frame.store.write() as connection:
            set_password(connection, user_id, kept, now, "password-changed")
            token = begin_session(connection, user_id, now)
        response = RedirectResponse("/account", 303)
        cookies.keep_session(response, request.scope, token)
        return response

    @router.post("/account/logout-everywhere", dependencies=[allows("look")])
    def leave_everywhere(request: Request) -> Response:
        """Log every browser out, this one too."""
        user_id = _own_id()
        with frame.store.write() as connection:
            number = end_sessions(connection, user_id)
            record_act(connection, "logout-everywhere", None, None, machine(), user=user_id, sessions=number)
        response = RedirectResponse("/login", 303)
        cookies.drop_session(response, request.scope)
        return response


def _own_id() -> str:
    caller = visit().caller
    if caller is None or caller.kind != "user" or caller.id is None:
        raise Refused(409, "no-account", "Nobody is logged in here: there is no account to change.")
    return caller.id
