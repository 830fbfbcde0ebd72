"""The API keys, for an admin to look after."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dripline.access.keys import NewKey, NoSuchKey, create_key, is_alive, list_keys, revoke_key, rotate_key
from dripline.access.scopes import SCOPES, UnknownScope, read_scopes
from dripline.clock import MachineClock
from dripline.web.allowing import allows
from dripline.web.keyring import KeyRing
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

_Id = Annotated[str, Path(max_length=64)]
_GOVERN = allows("govern")


def add_keys(router: APIRouter, frame: Frame, ring: KeyRing, machine: MachineClock, *, live: bool) -> None:
    """Add `/keys`."""

    def shown(wrong: str = "", made: NewKey | None = None) -> HTMLResponse:
        now = machine()
        with frame.store.read() as connection:
            rows = [row for row in list_keys(connection) if is_alive(row, now)]
        page = frame.page("keys.html", here="keys", keys=rows, scopes=SCOPES, wrong=wrong, made=made)
        page.status_code = 422 if wrong else 200
        return page

    @router.get("/keys", dependencies=[_GOVERN])
    def keys() -> HTMLResponse:
        """Those that open something."""
        return shown()

    @router.post("/keys", dependencies=[_GOVERN])
    def create(
        name: Annotated[str, Form(max_length=100)],
        scope: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI's way to say: none
        days: Annotated[str, Form(pattern=r"^([1-9]\d{0,3})?$")] = "",
        per_minute: Annotated[str, Form(pattern=r"^([1-9]\d{0,5})?$")] = "",
    ) -> HTMLResponse:
        """Make a key, and show it: once."""
        now, named = machine(), " ".join(name.split())
        if not named or not named.isprintable():
            return shown("Say what the key is for.")
        try:
            scopes = read_scopes(scope)
        except UnknownScope as reason:
            return shown(str(reason))
        with frame.store.write() as connection:
            made = create_key(
                connection,
                named,
                scopes,
                now,
                visit().said,
                live=live,
                per_minute=int(per_minute) if per_minute else None,
                expires_at=now + timedelta(days=int(days)) if days else None,
            )
        return shown(made=made)

    @router.post("/keys/{key}/rotate", dependencies=[_GOVERN])
    def rotate(key: _Id) -> HTMLResponse:
        """Make one in its place; it goes on working for a day."""
        try:
            with frame.store.write() as connection:
                made = rotate_key(connection, key, machine(), visit().said, live=live)
        except NoSuchKey as reason:
            return shown(str(reason))
        ring.forget()
        return shown(made=made)

    @router.post("/keys/{key}/revoke", dependencies=[_GOVERN])
    def revoke(key: _Id, why: Annotated[str, Form(max_length=500)] = "") -> Response:
        """Let a key open nothing any more; in this process, at once."""
        with frame.store.write() as connection:
            revoke_key(connection, key, machine(), visit().said, why.strip() or None)
        ring.forget()
        return RedirectResponse("/keys", 303)
