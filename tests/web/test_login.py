"""Logging in over real requests: cookies, forms, tokens, and what somebody who is not let in can find out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select, update

from dripline.access.entering import LOCKED, TRIES
from dripline.access.people import invite
from dripline.access.sessions import IDLE, LONGEST
from dripline.clock import machine_clock
from dripline.store.database import Store
from dripline.store.schema import audit, sessions, users
from dripline.web.pages.login import FROM_ONE_PLACE
from tests.access.people import PASSWORD, a_person
from tests.web.conftest import Opened

HTML = {"Accept": "text/html"}
ORIGIN = {"Origin": "http://127.0.0.1:8080"}


SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For long tests in which the database is not the point."""


def token_of(page: Response) -> str:
    found = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


def enter(client: TestClient, email: str, password: str = PASSWORD, **more: Any) -> Response:
    token = token_of(client.get("/login", headers=HTML))
    form = {"form_token": token, "email": email, "password": password, **more}
    answer: Response = client.post("/login", data=form, headers={**HTML, **ORIGIN}, follow_redirects=False)
    return answer


def post(client: TestClient, path: str, page: str = "/account", **form: str) -> Response:
    token = token_of(client.get(page, headers=HTML))
    sent = {"form_token": token, **form}
    answer: Response = client.post(path, data=sent, headers={**HTML, **ORIGIN}, follow_redirects=False)
    return answer


def test_who_is_not_logged_in_is_shown_the_way(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    sent = client.get("/journeys?show=all", headers=HTML, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fjourneys%3Fshow%3Dall")
    assert client.get("/journeys").status_code == 401
    assert client.get("/login", headers=HTML).status_code == 200
    entered = enter(client, "Viewer@Example.com ", next="/journeys?show=all")
    assert (entered.status_code, entered.headers["location"]) == (303, "/journeys?show=all")
    assert "viewer@example.com" in client.get("/journeys", headers=HTML).text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x"]
)
def test_nobody_is_sent_elsewhere_after_the_login(open_app: Opened, store: Store, elsewhere: str) -> None:
    a_person(store)
    assert enter(open_app(), "viewer@example.com", next=elsewhere).headers["location"] == "/"


def test_at_this_machine_no_login_is_asked_until_somebody_was_added_and_in_production_always(
    open_app: Opened, store: Store
) -> None:
    assert open_app().get("/").status_code == 200
    production = open_app(environment="production")
    assert production.get("/").status_code == 401
    assert production.get("/v1/runs").status_code == 401
    assert "dripline user add" in production.get("/login", headers=HTML).text
    a_person(store)
    assert open_app().get("/").status_code == 401
    assert open_app().get("/v1/runs").status_code == 200, (
        "programs at this machine need no key in development"
    )


def test_the_cookie_of_a_session_is_for_nobody_but_the_browser_and_this_site(
    open_app: Opened, store: Store
) -> None:
    a_person(store)
    plain = enter(open_app(), "viewer@example.com").headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= set(plain.split("; "))
    assert plain.startswith("dripline=")
    assert "secure" not in plain
    client = open_app(base_url="https://drip.example.com", public_url="https://drip.example.com")
    token = token_of(client.get("/login", headers=HTML))
    form = {"form_token": token, "email": "viewer@example.com", "password": PASSWORD}
    origin = {"Origin": "https://drip.example.com"}
    secure = client.post("/login", data=form, headers=origin, follow_redirects=False).headers["set-cookie"]
    assert secure.startswith("__Host-dripline=")
    assert "Secure" in secure


def test_the_store_has_only_a_hash_of_the_session_and_an_argon2id_of_the_password(
    open_app: Opened, store: Store
) -> None:
    a_person(store)
    client = open_app()
    enter(client, "viewer@example.com")
    with store.read() as connection:
        kept = repr(connection.execute(select(sessions)).all())
        password = connection.execute(select(users.c.password)).scalar_one()
    assert client.cookies["dripline"] not in kept
    assert password.startswith("$argon2id$")


def test_a_session_that_somebody_planted_is_of_no_use_after_the_login(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    client.cookies.set("dripline", "planted-by-somebody-else")
    enter(client, "viewer@example.com")
    taken = [cookie.value for cookie in client.cookies.jar if cookie.name == "dripline"]
    assert "planted-by-somebody-else" not in taken[-1:]
    thief = open_app()
    thief.cookies.set("dripline", "planted-by-somebody-else")
    assert thief.get("/").status_code == 401


def test_to_log_in_again_ends_the_session_before(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    enter(client, "viewer@example.com")
    first = client.cookies["dripline"]
    again = post(client, "/login", email="viewer@example.com", password=PASSWORD)
    assert again.status_code == 303
    old = open_app()
    old.cookies.set("dripline", first)
    assert old.get("/").status_code == 401


def test_to_log_out_ends_the_session_wherever_its_cookie_is(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    enter(client, "viewer@example.com")
    copy = open_app()
    copy.cookies.set("dripline", client.cookies["dripline"])
    assert copy.get("/").status_code == 200
    assert post(client, "/logout").headers["location"] == "/login"
    assert client.get("/").status_code == 401
    assert copy.get("/").status_code == 401


def test_to_log_out_everywhere_ends_all(open_app: Opened, store: Store) -> None:
    a_person(store)
    one, other = open_app(), open_app()
    for client in (one, other):
        enter(client, "viewer@example.com")
    post(one, "/account/logout-everywhere")
    assert [client.get("/").status_code for client in (one, other)] == [401, 401]


def test_a_session_ends_when_nothing_is_done_and_in_any_case(open_app: Opened, store: Store) -> None:
    a_person(store)
    now = [machine_clock()]
    client = open_app(machine=lambda: now[0])
    enter(client, "viewer@example.com")
    now[0] += IDLE - timedelta(minutes=1)
    assert client.get("/").status_code == 200
    now[0] += IDLE - timedelta(minutes=1)
    assert client.get("/").status_code == 200, "it was used meanwhile"
    now[0] += IDLE + timedelta(minutes=1)
    assert client.get("/").status_code == 401
    enter(client, "viewer@example.com")
    begun = now[0]
    while now[0] - begun < LONGEST - IDLE:
        now[0] += IDLE / 2
        assert client.get("/").status_code == 200
    now[0] = begun + LONGEST
    assert client.get("/").status_code == 401


def test_too_many_wrong_passwords_keep_the_right_one_out_for_a_while(open_app: Opened, store: Store) -> None:
    a_person(store)
    now = [machine_clock()]
    client = open_app(machine=lambda: now[0])
    wrong = [enter(client, "viewer@example.com", "wrong password") for _ in range(TRIES)]
    locked = enter(client, "viewer@example.com")
    assert {one.status_code for one in (*wrong, locked)} == {401}
    now[0] += LOCKED + timedelta(seconds=1)
    assert enter(client, "viewer@example.com").status_code == 303
    with store.read() as connection:
        acts = connection.execute(select(audit.c.what, audit.c.by, audit.c.detail).order_by(audit.c.id)).all()
    told = [act.what for act in acts if act.what.startswith("login")]
    assert told == ["login-failed"] * (TRIES - 1) + ["login-locked", "login"]
    assert "viewer@" not in repr([act for act in acts if act.what.startswith("login")])


@SQLITE
def test_nobody_finds_out_who_is_known_here(open_app: Opened, store: Store) -> None:
    a_person(store)
    a_person(store, "author")
    with store.write() as connection:
        invite(connection, "invited@example.com", "viewer", machine_clock(), "ani")
        connection.execute(
            update(users).where(users.c.email == "author@example.com").values(disabled_at=machine_clock())
        )
    said = set()
    client = open_app(client=("10.0.0.2", 5_000))
    for number, email in enumerate(
        ("nobody@example.com", "viewer@example.com", "author@example.com", "invited@example.com")
    ):
        client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        for _ in range(TRIES + 1):  # the last one is locked, where there is somebody
            client.cookies.clear()
            answer = enter(client, email, "wrong password")
            text = re.sub(r'value="\w{64}"', "", answer.text).replace(email, "")
            said.add((answer.status_code, text, "set-cookie" in answer.headers))
    assert len(said) == 1


@SQLITE
def test_tries_are_slowed_down_for_everybody_alike(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    for email in ("viewer@example.com", "nobody@example.com"):
        answers = [enter(client, email, "wrong password").status_code for _ in range(13)]
        slowed = answers.index(429)
        assert answers[:slowed] == [401] * slowed
        assert 10 <= slowed <= 12, "the window slides, so that one or two more may pass as a minute ends"


@SQLITE
def test_behind_a_proxy_who_tries_too_often_keeps_out_nobody_else(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app(client=("10.0.0.2", 5_000))
    client.headers["X-Forwarded-For"] = "203.0.113.9"
    answers = [
        enter(client, f"{number}@example.com", "wrong").status_code for number in range(FROM_ONE_PLACE + 3)
    ]
    assert 429 in answers
    client.headers["X-Forwarded-For"] = "203.0.113.10"
    assert enter(client, "viewer@example.com").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8081"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_that_another_site_sends_is_not_taken(
    open_app: Opened, store: Store, headers: dict[str, str]
) -> None:
    a_person(store)
    client = open_app()
    enter(client, "viewer@example.com")
    token = token_of(client.get("/account", headers=HTML))
    refused = client.post("/logout", data={"form_token": token}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-our-form")
    assert client.get("/").status_code == 200


def test_a_form_without_its_token_or_with_another_s_is_not_taken(open_app: Opened, store: Store) -> None:
    a_person(store)
    a_person(store, "author")
    client, other = open_app(), open_app()
    enter(client, "viewer@example.com")
    enter(other, "author@example.com")
    theirs = token_of(other.get("/account", headers=HTML))
    for form in (
        {},
        {"form_token": ""},
        {"form_token": theirs},
        {"form_token": "\ud800".encode("utf-8", "replace")},
    ):
        assert client.post("/logout", data=form, headers=ORIGIN).status_code == 403
    assert (
        open_app().post("/login", data={"email": "viewer@example.com", "password": PASSWORD}).status_code
        == 403
    )
    assert client.post("/logout", json={"form_token": "x"}, headers=ORIGIN).status_code == 403
    assert client.get("/").status_code == 200


def test_the_form_s_token_tells_nothing_of_the_session(open_app: Opened, store: Store) -> None:
    a_person(store)
    client = open_app()
    before = token_of(client.get("/login", headers=HTML))
    enter(client, "viewer@example.com")
    after = token_of(client.get("/account", headers=HTML))
    assert before != after
    assert client.cookies["dripline"] not in after


def test_an_invitation_is_used_once_within_a_day_and_looking_does_not_use_it(
    open_app: Opened, store: Store
) -> None:
    now = [machine_clock()]
    with store.write() as connection:
        made = invite(connection, "new@example.com", "viewer", now[0], "ani")
        late = invite(connection, "late@example.com", "viewer", now[0] - timedelta(hours=25), "ani")
    client = open_app(machine=lambda: now[0])
    assert client.get(late.path, headers=HTML).status_code == 410
    for _ in range(3):
        assert client.get(made.path, headers=HTML).status_code == 200
    for weak in ("short", "new@example.com", "aaaaaaaaaaaaaaaa", "x" * 201):
        assert post(client, made.path, made.path, password=weak, again=weak).status_code == 422
    assert post(client, made.path, made.path, password=PASSWORD, again="another long one").status_code == 422
    assert post(client, made.path, made.path, password=PASSWORD, again=PASSWORD).status_code == 303
    assert client.get(made.path, headers=HTML).status_code == 410
    assert enter(client, "new@example.com").status_code == 303


def test_another_password_logs_every_other_browser_out(open_app: Opened, store: Store) -> None:
    a_person(store)
    client, other = open_app(), open_app()
    for one in (client, other):
        enter(one, "viewer@example.com")
    new = {"password": "quite another long one", "again": "quite another long one"}
    assert post(client, "/account/password", current="wrong password", **new).status_code == 422
    assert post(client, "/account/password", current=PASSWORD, **new).status_code == 303
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 401)
    assert enter(other, "viewer@example.com").status_code == 401
    assert enter(other, "viewer@example.com", "quite another long one").status_code == 303


def test_a_password_is_hashed_anew_when_the_parameters_have_changed(open_app: Opened, store: Store) -> None:
    from argon2 import PasswordHasher

    person = a_person(store)
    weak = PasswordHasher(time_cost=1, memory_cost=1_024).hash(PASSWORD.encode())
    with store.write() as connection:
        connection.execute(update(users).values(password=weak))
    assert enter(open_app(), "viewer@example.com").status_code == 303
    with store.read() as connection:
        kept = connection.execute(select(users.c.password).where(users.c.id == person)).scalar_one()
    assert kept != weak
    assert enter(open_app(), "viewer@example.com").status_code == 303


def test_who_is_disabled_is_out_at_once(open_app: Opened, store: Store) -> None:
    a_person(store, "admin")
    viewer = a_person(store)
    admin, client = open_app(), open_app()
    enter(admin, "admin@example.com")
    enter(client, "viewer@example.com")
    assert client.get("/").status_code == 200
    assert post(admin, f"/users/{viewer}/disable", "/users").status_code == 303
    assert client.get("/").status_code == 401
    assert enter(client, "viewer@example.com").status_code == 401
    assert post(admin, f"/users/{viewer}/enable", "/users").status_code == 303
    assert enter(client, "viewer@example.com").status_code == 303


def test_every_page_says_how_browsers_must_treat_it(open_app: Opened, store: Store) -> None:
    a_person(store, "admin")
    client = open_app()
    enter(client, "admin@example.com")
    for path in ("/", "/login", "/account", "/users", "/keys", "/nowhere", "/held"):
        headers = client.get(path, headers=HTML, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] in ("same-origin", "no-referrer")


def test_forms_work_at_this_machine_without_a_login_and_nobody_else_sends_them(open_app: Opened) -> None:
    client = open_app()
    page = client.get("/stop-all", headers=HTML)
    form = {"form_token": token_of(page), "why": "wrong prices"}
    assert open_app().post("/stop-all", data=form, headers=ORIGIN).status_code == 403, "without the cookie"
    evil = {"Origin": "https://evil.example"}
    assert client.post("/stop-all", data=form, headers=evil, follow_redirects=False).status_code in (401, 403)
    assert client.post("/stop-all", data=form, headers=ORIGIN, follow_redirects=False).status_code == 303
    assert "by this machine: wrong prices" in client.get("/", headers=HTML).text
