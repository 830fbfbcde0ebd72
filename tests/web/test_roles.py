"""What each role may do on the pages, cell by cell, as the table of the docs says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from dripline.access.roles import ACTS, ROLES, Act, Role, may
from dripline.store.database import Store
from dripline.web.allowing import Allows
from tests.access.people import a_person
from tests.web.conftest import Opened
from tests.web.test_login import HTML, ORIGIN, enter, token_of

DOCS = (Path(__file__).parents[2] / "docs" / "running.md").read_text()
ELSEWHERE = ("/v1/", "/health", "/ready", "/webhooks/", "/l/", "/f/", "/r/", "/c/", "/o/")
FOR_ALL = {"/login", "/logout", "/invitation/{token}", "/static/style.css"}

PAGES = {
    "look": [
        "/",
        "/journeys",
        "/friends",
        "/discounts",
        "/campaigns",
        "/campaigns/none",
        "/reports",
        "/reports/sources",
        "/reports/orders/csv",
        "/held",
        "/account",
    ],
    "read-leads": ["/discounts/none", "/mailbox", "/messages/none", "/leads/none"],
    "steer": [
        "/stop-all",
        "/start-all",
        "/journeys/none/pause",
        "/journeys/none/resume",
        "/campaigns/start?journey=none&audience=x",
        "/campaigns/none/pause",
        "/campaigns/none/resume",
        "/campaigns/none/cancel",
        "/held/answer?do=send&id=x",
        "/discounts/none/revoke",
    ],
    "govern": ["/users", "/keys", "/audit"],
}
FORMS = {
    "look": ["/account/logout-everywhere"],
    "steer": [
        "/stop-all",
        "/start-all",
        "/journeys/none/pause",
        "/journeys/none/resume",
        "/campaigns/none/pause",
        "/discounts/none/revoke",
    ],
    "govern": ["/users/none/reset", "/users/none/disable", "/users/none/enable", "/keys/none/revoke"],
}


def _page_routes(routes: list[BaseRoute], above: tuple[object, ...] = ()) -> list[tuple[APIRoute, list[Act]]]:
    found = []
    for route in routes:
        if isinstance(route, APIRoute):
            every = (*above, *route.dependencies)
            checks = [getattr(one, "dependency", None) for one in every]
            acts = [check.act for check in checks if isinstance(check, Allows)]
            found.append((route, acts))
            continue
        router = getattr(route, "original_router", None)
        if router is not None:
            found += _page_routes(router.routes, (*above, *router.dependencies))
    return found


def test_every_page_says_what_a_role_must_allow_and_whatever_changes_something_more_than_to_look(
    open_app: Opened,
) -> None:
    app = open_app().app
    assert isinstance(app, FastAPI)
    seen = 0
    for route, acts in _page_routes(app.routes):
        if route.path.startswith(ELSEWHERE) or route.path in FOR_ALL:
            continue
        seen += 1
        assert acts, route.path
        if set(route.methods or ()) - {"GET", "HEAD"} and not route.path.startswith("/account"):
            assert set(acts) - {"look"}, route.path
    assert seen >= 15


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says_and_nothing_else(
    open_app: Opened, store: Store, role: Role
) -> None:
    a_person(store, role)
    a_person(store, "admin", "other@example.com")
    client = open_app()
    enter(client, f"{role}@example.com")
    for act, paths in PAGES.items():
        for path in paths:
            answer = client.get(path, headers=HTML)
            assert (answer.status_code == 403) != may(role, act), path  # type: ignore[arg-type]
            assert answer.status_code in (200, 403, 404), path
    for act, paths in reversed(FORMS.items()):
        for path in paths:
            form = {"form_token": token_of(client.get("/account", headers=HTML))}
            answer = client.post(path, data=form, headers={**ORIGIN, **HTML}, follow_redirects=False)
            assert (answer.status_code == 403) != may(role, act), path  # type: ignore[arg-type]
            assert answer.status_code in (303, 403, 404, 422), path


def test_the_table_of_the_docs_is_the_one_that_is_held_to() -> None:
    for act, (_, does) in ACTS.items():
        cells = ["yes" if may(role, act) else "" for role in ROLES]
        row = f"| {does} | " + " | ".join(cells) + " |"
        assert re.sub(r"\|  (?=\|)", "| ", row) in DOCS, row


def test_a_viewer_sees_nobody_s_name(open_app: Opened, store: Store) -> None:
    from tests.ingest.journeys import a_plan, published

    with store.write() as connection:
        published(connection, a_plan("hello", on="lead.created"))
    here = open_app()
    assert (
        here.put("/v1/leads", json={"email": "ani@example.com", "phone": "+37491123456"}).status_code == 201
    )
    assert "ani@example.com" in here.get("/").text
    for role in ("viewer", "author"):
        a_person(store, role)
        client = open_app()
        enter(client, f"{role}@example.com")
        for path in ("/", "/journeys/hello", "/held"):
            text = client.get(path).text
            assert ("ani@example.com" in text or "91123456" in text) == (role == "author" and path != "/held")
