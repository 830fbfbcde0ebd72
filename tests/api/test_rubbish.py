"""Whatever comes, every route of the app answers soon, by less than 500, and keeps nothing of what it refuses."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dripline.language.workspace import load_workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.schema import metadata
from dripline.web.app import create_app
from tests.api.calling import Answer, Caller
from tests.api.routes import routes_of
from tests.api.rubbish import BODIES, KINDS, ODD_KINDS, SEGMENTS, SLOW, TEXTS, as_body, spoilt
from tests.sink.signing import Signer

ROOT = Path(__file__).parents[2]
HERE = "http://127.0.0.1:8080"
SOON = 5.0
"""Seconds: far more than an answer needs on a busy machine, far less than a slow regular expression takes."""
COUNTS = ("/webhooks/", "/login", "/invitation/", "/f/", "/l/", "/c/", "/o/")
"""Addresses that count what they refuse."""
SIGNER = Signer("twilio-token")
LEAD = {"external_id": "crm-1", "email": "ani@example.com", "consent": {"email": True}}


def _workspace() -> Any:
    found, problems = load_workspace(ROOT)
    assert found is not None, problems
    return found


@dataclass
class Door:
    """The app, somebody at its door, and a way to see whether anything was kept."""

    caller: Caller
    watch: sqlite3.Connection
    lead: str

    def version(self) -> int:
        """Another number as soon as anything was committed."""
        number: int = self.watch.execute("PRAGMA data_version").fetchone()[0]
        return number

    def send(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """The answer, which is held to what every answer must be."""
        before, began = self.version(), time.monotonic()
        answer = self.caller.call(method, url, body, headers)
        told = f"{method} {url[:200]} {headers} {body[:300]!r}: {answer.status_code} {answer.text[:300]}"
        assert time.monotonic() - began < SOON, told
        assert answer.status_code < 500, told
        if answer.status_code >= 400:
            if url.startswith("/v1/") and method != "HEAD":
                problem = answer.json()
                assert (problem["status"], bool(problem["detail"])) == (answer.status_code, True), told
                if problem["code"] == "invalid":
                    assert problem.get("errors") or "body" in problem["detail"], told
                assert all(one["detail"] for one in problem.get("errors", [])), told
            if not url.startswith(COUNTS):
                assert self.version() == before, f"something was kept of: {told}"
        return answer


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("rubbish")
    shutil.copy(migrated_file, folder / "dripline.db")
    store = Store(f"sqlite:///{folder / 'dripline.db'}")
    chosen = Settings(
        _env_file=None,
        data=folder,
        sendgrid_webhook_key=SIGNER.sendgrid_key,
        sendgrid_inbound_token="token-of-inbound",
        twilio_account_sid="AC1",
        twilio_auth_token="twilio-token",
        public_url=HERE,
        api_key="sesame",
    )
    app = create_app(chosen, store, _workspace())
    with sqlite3.connect(folder / "dripline.db") as watch, Caller(app, "127.0.0.1:8080") as caller:
        said = caller.call("PUT", "/v1/leads", json.dumps(LEAD).encode(), KINDS[0])
        yield Door(caller, watch, said.json()["id"])
    store.close()


@cache
def _app() -> FastAPI:
    """One that nobody asks anything: only to see what it is made of."""
    store = Store(f"sqlite:///{tempfile.mkdtemp()}/nobody-asks-this.db")
    metadata.create_all(store.engine)  # the app keeps the rules of its workspace as soon as it is made
    return create_app(Settings(_env_file=None), store, _workspace())


_BY_WORK = {
    (method, route.endpoint): route for route in routes_of(_app()) for method in sorted(route.methods or ())
}
"""Addresses behind which the same work is done are one."""
ROUTES = [(method, route) for (method, _), route in _BY_WORK.items()]
NAMES = [f"{method} {route.path}" for method, route in ROUTES]
EVERY_ROUTE = pytest.mark.parametrize(("method", "route"), ROUTES, ids=NAMES)


def _url(route: APIRoute, segment: str) -> str:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}:path}}", segment).replace(f"{{{name}}}", segment)
    return path


@EVERY_ROUTE
def test_no_body_is_too_odd(door: Door, method: str, route: APIRoute) -> None:
    if method in ("GET", "HEAD", "OPTIONS"):
        bodies, kinds = BODIES[:3], KINDS[:1]
    else:
        bodies, kinds = BODIES, KINDS
    url = _url(route, "0")
    for kind in kinds:
        for body in bodies:
            if door.send(method, url, body, headers=kind).status_code == 415:
                break  # what is of this kind is not even read
    for kind in ODD_KINDS:
        door.send(method, url, b'{"a": 1}', headers=kind)


@EVERY_ROUTE
def test_no_address_is_too_odd(door: Door, method: str, route: APIRoute) -> None:
    if route.param_convertors:
        for segment in SEGMENTS:
            door.send(method, _url(route, segment), b"{}", headers=KINDS[0])
    names = [*(field.alias for field in route.dependant.query_params), "surely_no_field"]
    for name in names if method != "OPTIONS" else ():
        for text in (*TEXTS, *(one[:6_000] for one in SLOW)):
            said = quote(text.encode("utf-8", "surrogatepass"))
            door.send(method, f"{_url(route, '0')}?{name}={said}&{name}=%ff", b"{}", headers=KINDS[0])


def _examples() -> dict[str, Any]:
    """By method and path, a body that the document shows."""
    document = _app().openapi()
    schemas, found = document["components"]["schemas"], {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            schema = content["schema"]
            schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            fields = {
                name: one["examples"][0] for name, one in schema["properties"].items() if "examples" in one
            }
            found[f"{method.upper()} {path}"] = {**fields, **(schema.get("examples") or [{}])[0]}
    return found


@pytest.mark.parametrize(("name", "example"), _examples().items(), ids=_examples())
def test_no_field_is_too_odd(door: Door, name: str, example: dict[str, Any]) -> None:
    method, path = name.split(" ")
    url = path.replace("{lead}", door.lead).replace("{", "").replace("}", "")
    for value in spoilt(example):
        door.send(method, url, as_body(value), headers=KINDS[0])


def test_no_call_of_a_batch_is_too_odd(door: Door) -> None:
    headers = {**KINDS[0], "Authorization": "Bearer sesame"}
    for kind in ("identify", "track", "page", "screen", "group", "alias", "dance"):
        example = {
            "type": kind,
            "userId": "crm-1",
            "previousId": "crm-0",
            "groupId": "g",
            "event": "Demo Booked",
            "name": "n",
            "category": "c",
            "timestamp": "2026-03-02T10:00:00Z",
            "properties": {"seats": 8, "url": "https://example.com/?a=b"},
            "traits": {"email": "ani@example.com", "phone": "+12025550123", "address": {"country": "AM"}},
            "context": {"campaign": {"name": "x"}, "page": {"url": "x"}, "locale": "en", "traits": {"a": 1}},
        }
        rows = list(spoilt(example))
        for start in range(0, len(rows), 100):
            answer = door.send(
                "POST",
                "/v1/batch",
                as_body({"batch": rows[start : start + 100]}),
                headers=headers,
            )
            said = answer.json()
            if answer.status_code == 422:
                assert kind == "dance", answer.text[:500]
                continue
            assert answer.status_code == 200, answer.text[:500]
            counted = said["taken"] + said["repeated"] + said["refused"]
            assert counted == len(rows[start : start + 100])


WORDS = (
    "MessageSid",
    "SmsSid",
    "MessageStatus",
    "From",
    "To",
    "Body",
    "OptOutType",
    "ErrorCode",
    "AccountSid",
)


@pytest.mark.parametrize("path", ["/webhooks/twilio", "/webhooks/twilio/inbound"])
def test_nothing_that_twilio_signs_is_too_odd(door: Door, path: str) -> None:
    usual = dict.fromkeys(WORDS, "x") | {
        "MessageStatus": "delivered",
        "From": "+12025550123",
        "To": "+12025550199",
    }
    for name in WORDS:
        for text in (*(one for one in TEXTS if "\ud800" not in one), *SLOW):
            form = {**usual, name: text, "MessageSid": f"{name}{len(text)}" if name != "MessageSid" else text}
            url = f"{path}?message=0&attempt=1"
            headers = SIGNER.twilio(f"{HERE}{url}", form)
            body = "&".join(f"{key}={quote(value)}" for key, value in form.items()).encode()
            door.send("POST", url, body, headers={**headers, **KINDS[1]})


def test_nothing_that_sendgrid_signs_is_too_odd(door: Door) -> None:
    usual = {
        "email": "ani@example.com",
        "timestamp": 1_772_445_600,
        "event": "bounce",
        "sg_message_id": "x",
        "sg_event_id": "y",
        "type": "bounce",
        "reason": "550",
        "url": "https://example.com",
        "message": "0",
        "attempt": "1",
    }
    bodies = [*BODIES, *(as_body([one]) for one in spoilt(usual))]
    events = (
        "processed",
        "delivered",
        "deferred",
        "dropped",
        "open",
        "click",
        "spamreport",
        "unsubscribe",
        "x",
    )
    bodies += [as_body([{**usual, "event": event}]) for event in events]
    for body in bodies:
        door.send("POST", "/webhooks/sendgrid", body, headers=SIGNER.sendgrid(body))


def test_no_mail_that_sendgrid_parses_is_too_odd(door: Door) -> None:
    usual = {
        "from": "ani@example.com",
        "to": "hello@dripline.example",
        "subject": "Re: Hello",
        "text": "Yes",
        "html": "<p>Yes</p>",
        "headers": "Message-ID: <1@example.com>\nIn-Reply-To: <2@example.com>",
        "envelope": '{"to": ["hello@dripline.example"], "from": "ani@example.com"}',
        "charsets": '{"text": "utf-8"}',
    }
    odd = [one.encode("utf-8", "surrogatepass") for one in (*TEXTS, *SLOW)]
    odd += [
        b'{"text": "no-such-charset"}',
        b"[]",
        b"Message-ID: <\n" * 999,
        *(one[:50_000] for one in BODIES),
    ]
    for name in (*usual, "email"):
        for number, text in enumerate(odd):
            said = {key: value.encode() for key, value in usual.items()}
            said |= {"headers": f"Message-ID: <{name}{number}@example.com>".encode(), name: text}
            form = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            parts = [form % (key.encode(), value) for key, value in said.items()]
            url = "/webhooks/sendgrid/inbound/token-of-inbound"
            door.send("POST", url, b"".join(parts) + b"--x--\r\n", headers=KINDS[2])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(
    max_examples=250,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_no_json_that_can_be_thought_of_is_too_odd(door: Door, data: st.DataObject) -> None:
    method, route = data.draw(st.sampled_from([one for one in ROUTES if one[0] in ("POST", "PUT", "DELETE")]))
    names = [*(field.alias for field in route.dependant.body_params), "userId", "traits", "event", "lead"]
    fields = st.dictionaries(st.sampled_from(names) | st.text(max_size=8), JSON, max_size=5)
    body = json.dumps(data.draw(fields | JSON)).encode("utf-8", "surrogatepass")
    segment = quote(data.draw(st.text(min_size=1, max_size=20)).encode("utf-8", "surrogatepass"), safe="")
    door.send(method, _url(route, segment), body, headers=data.draw(st.sampled_from(KINDS)))
