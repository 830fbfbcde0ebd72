"""The people who may look at the pages, for an admin to look after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from dripline.access import people
from dripline.access.people import Invitation, NotPossible
from dripline.access.roles import ACTS, ROLES, Role
from dripline.clock import MachineClock
from dripline.ingest.refusal import Refused
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

_Id = Annotated[str, Path(max_length=64)]
_Role = Annotated[Role, Form()]
_GOVERN = allows("govern")
_Change = Callable[[Connection], None]


def add_people(router: APIRouter, frame: Frame, public_url: str, machine: MachineClock) -> None:
    """Add `/users`."""

    def shown(wrong: str = "", invitation: Invitation | None = None) -> HTMLResponse:
        with frame.store.read() as connection:
            rows = people.list_users(connection)
        url = public_url.rstrip("/") + invitation.path if invitation else None
        page = frame.page(
            "users.html",
            here="users",
            users=rows,
            roles=ROLES,
            acts=ACTS,
            now=machine(),
            wrong=wrong,
            invited=next((row for row in rows if invitation and row.id == invitation.user_id), None),
            url=url,
        )
        page.status_code = 422 if wrong else 200
        return page

    @router.get("/users", dependencies=[_GOVERN])
    def users() -> HTMLResponse:
        """Everybody, and what may be done about them."""
        return shown()

    @router.post("/users", dependencies=[_GOVERN])
    def add(
        email: Annotated[str, Form(max_length=320)],
        role: _Role,
        name: Annotated[str, Form(max_length=128)] = "",
    ) -> HTMLResponse:
        """Add somebody, and show the link by which they choose a password: once."""
        try:
            with frame.store.write() as connection:
                named = " ".join(name.split()) or None
                made = people.invite(connection, email, role, machine(), visit().said, named)
        except NotPossible as reason:
            return shown(str(reason))
        return shown(invitation=made)

    @router.post("/users/{user}/reset", dependencies=[_GOVERN])
    def reset(user: _Id) -> HTMLResponse:
        """Take the password away, and show the link by which another is chosen."""
        with frame.store.write() as connection:
            _known(connection, user)
            made = people.reset(connection, user, machine(), visit().said)
        return shown(invitation=made)

    @router.post("/users/{user}/role", dependencies=[_GOVERN])
    def change_role(user: _Id, role: _Role) -> Response:
        """Give somebody another role, at once."""
        return _changed(
            lambda connection: people.set_role(connection, user, role, machine(), visit().said), user
        )

    @router.post("/users/{user}/disable", dependencies=[_GOVERN])
    def disable(user: _Id) -> Response:
        """Let somebody in no more."""
        return _changed(lambda connection: people.disable(connection, user, machine(), visit().said), user)

    @router.post("/users/{user}/enable", dependencies=[_GOVERN])
    def enable(user: _Id) -> Response:
        """Let somebody in again."""
        return _changed(lambda connection: people.enable(connection, user, machine(), visit().said), user)

    def _changed(change: _Change, user: str) -> Response:
        try:
            with frame.store.write() as connection:
                _known(connection, user)
                change(connection)
        except NotPossible as reason:
            return shown(str(reason))
        return RedirectResponse("/users", 303)


def _known(connection: Connection, user: str) -> None:
    if people.find_user_by_id(connection, user) is None:
        raise Refused(404, "unknown-user", "There is nobody of that id.")
