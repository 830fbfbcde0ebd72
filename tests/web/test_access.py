from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from dripline.access.scopes import SCOPES
from dripline.store.database import Store
from tests.access.keys import a_key
from tests.web.conftest import Opened

LEAD = {"external_id": "crm-1"}
ELSEWHERE = {"client": ("203.0.113.9", 4_000), "base_url": "http://drip.example.com"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_a_key_only_this_machine_is_served(open_app: Opened) -> None:
    assert open_app().put("/v1/leads", json=LEAD).status_code == 201
    assert open_app(client=("::1", 1), base_url="http://[::1]:8080").get("/").status_code == 200
    assert (
        open_app(client=("::ffff:127.0.0.1", 1), base_url="http://localhost:8080").get("/").status_code == 200
    )
    refused = open_app(**ELSEWHERE).put("/v1/leads", json=LEAD)
    assert (refused.status_code, refused.json()["code"]) == (401, "no-key")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "localhost@attacker.example"},
        {"Host": ""},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ],
)
def test_a_proxied_rebound_or_foreign_request_is_not_of_this_machine(
    open_app: Opened, headers: dict[str, str]
) -> None:
    assert open_app().put("/v1/leads", json=LEAD, headers=headers).status_code == 401


def test_the_key_of_the_settings_opens_from_anywhere_and_nothing_else_does(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    assert client.put("/v1/leads", json=LEAD, headers=bearer("correct horse")).status_code == 201
    wrongs = ("Bearer wrong", "Bearer ", "Bearer", "correct horse", "Basic ???", "Bearer \xe9", "")
    for wrong in wrongs:
        headers = {"Authorization": wrong.encode("latin-1")}
        refused = client.put("/v1/leads", json=LEAD, headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_who_gives_a_wrong_key_does_not_come_in_as_somebody_at_this_machine(open_app: Opened) -> None:
    assert open_app().put("/v1/leads", json=LEAD, headers=bearer("dl_live_wrong")).status_code == 401


def test_a_browser_may_give_the_key_as_password_to_look_but_not_to_change(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    key = basic("me", "correct horse")
    assert client.get("/", headers=key).status_code == 200
    assert client.put("/v1/leads", json=LEAD, headers=key).status_code == 401


def test_health_and_webhooks_need_no_key_of_ours(open_app: Opened) -> None:
    client = open_app(api_key="correct horse", **ELSEWHERE)
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 200
    assert client.post("/webhooks/sendgrid", content=b"[]").status_code == 404, "not set up here"
    assert client.get("/healthy").status_code == 401


CALLS = {
    "leads:write": ("PUT", "/v1/leads", LEAD, 201),
    "leads:read": ("GET", "/v1/leads/nobody", None, 404),
    "events:write": ("POST", "/v1/events", {"name": "demo.booked", "lead": "nobody"}, 404),
    "journeys:write": ("POST", "/v1/journeys/none/enrol", {"lead": "nobody"}, 404),
    "discounts:write": ("POST", "/v1/discounts/NONE/redeem", {"reference": "1"}, 404),
    "reports:read": ("GET", "/v1/reports/funnel?journey=none", None, 404),
    "reports:write": ("DELETE", "/v1/spends/none", None, 404),
    "products:write": ("PATCH", "/v1/products/none", {"in_stock": True}, 404),
}


@pytest.mark.parametrize("held", SCOPES)
def test_a_key_does_what_its_scope_says_and_nothing_else(open_app: Opened, store: Store, held: str) -> None:
    client = open_app(**ELSEWHERE)
    headers = bearer(a_key(store, held).secret)
    for needed, (method, path, body, status) in CALLS.items():
        answer = client.request(method, path, json=body, headers=headers)
        if held in (needed, "admin"):
            assert answer.status_code == status, needed
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "scope")
            assert f"`{needed}`" in answer.json()["detail"]


def _routes(routes: list[BaseRoute], above: tuple[object, ...] = ()) -> Iterator[tuple[APIRoute, set[str]]]:
    """Every route, with the scopes that it or a router around it says it needs."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            needed = (*above, *route.dependencies)
            yield route, {scope for one in needed for scope in getattr(one, "scopes", None) or ()}
        elif router is not None:
            yield from _routes(router.routes, (*above, *router.dependencies))


def test_no_address_of_the_api_is_without_a_scope(open_app: Opened) -> None:
    app = open_app().app
    assert isinstance(app, FastAPI)
    seen = 0
    for route, scopes in _routes(app.routes):
        if not route.path.startswith("/v1") or route.methods == {"OPTIONS"}:
            continue
        seen += 1
        assert len(scopes) == 1, route.path
        assert scopes <= set(SCOPES), route.path
    assert seen >= 20


def test_the_description_tells_how_to_come_in_and_which_scope_is_needed(open_app: Opened) -> None:
    told = open_app().get("/openapi.json").json()
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/v1/"):
                needed = {
                    scope for way in operation["security"] for scopes in way.values() for scope in scopes
                }
                assert set() < needed <= set(SCOPES), f"{method} {path}"
    assert told["paths"]["/v1/leads"]["put"]["security"] == [{"key": ["leads:write"]}]


def test_a_write_key_may_lie_open_for_it_can_only_track(open_app: Opened, store: Store) -> None:
    client = open_app(**ELSEWHERE)
    key = a_key(store, "admin").secret
    assert client.put("/v1/leads", json=LEAD, headers=bearer(key)).status_code == 201
    refused = client.put("/v1/leads", json=LEAD, headers=basic(key, ""))
    assert (refused.status_code, refused.json()["code"]) == (403, "scope")
    unfit = a_key(store, "leads:write").secret
    assert client.put("/v1/leads", json=LEAD, headers=basic(unfit, "")).status_code == 401


def test_a_revoked_key_is_refused_within_seconds(open_app: Opened, store: Store) -> None:
    from dripline.access.keys import revoke_key
    from dripline.clock import machine_clock
    from dripline.web.keyring import REMEMBERED, KeyRing

    ticks = [100.0]
    ring = KeyRing(store, None, 100, machine_clock, lambda: ticks[0])
    key = a_key(store, "leads:read")
    assert ring.remembered(key.secret) is None
    assert ring.look_up(key.secret)
    with store.write() as connection:
        assert revoke_key(connection, key.id, machine_clock(), "ani")
        assert not revoke_key(connection, key.id, machine_clock(), "ani")
    assert ring.remembered(key.secret), "it was seen a moment ago"
    ticks[0] += REMEMBERED + 0.1
    assert ring.remembered(key.secret) is None
    assert ring.look_up(key.secret) is None
    assert ring.remembered(key.secret) is None


def test_a_key_that_asks_too_often_is_told_how_long_to_wait(open_app: Opened, store: Store) -> None:
    client = open_app(**ELSEWHERE)
    headers = bearer(a_key(store, "leads:read", per_minute=3).secret)
    answers = [client.get("/v1/runs", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
    assert answers[0].headers["ratelimit"].startswith('"minute";r=2;')
    assert answers[3].json()["code"] == "too-many"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert client.get("/v1/runs", headers=bearer(a_key(store, "leads:read").secret)).status_code == 200
