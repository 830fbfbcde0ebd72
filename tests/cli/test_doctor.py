from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dripline.doctor.accounts import examine_sendgrid, examine_twilio
from dripline.doctor.installation import examine_disk, examine_settings, examine_store, examine_workspace
from dripline.doctor.running import examine_temporal, examine_web
from dripline.settings import Settings
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, plan
from tests.temporal_server import TemporalServer

HELLO = plan(email("hello"))
ROOT = Path(__file__).parents[2]


class Account:
    """Answers every request as it is told."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[tuple[str, str | None]] = []
        account = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                account.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(account.status)
                self.end_headers()
                self.wfile.write(account.body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def says(self, status: int, body: Any = None) -> None:
        self.status, self.body = status, json.dumps(body).encode()


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    thread = threading.Thread(target=account.server.serve_forever)
    thread.start()
    yield account
    account.server.shutdown()
    account.server.server_close()
    thread.join()


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


SENDGRID = [
    (200, {"scopes": ["mail.send"]}, "well", "its key may send"),
    (200, {"scopes": ["stats.read"]}, "mend", "may not send mail"),
    (200, {"hello": 1}, "mend", "is not SendGrid"),
    (200, ["hello"], "mend", "is not SendGrid"),
    (401, {}, "mend", "does not know the API key"),
    (403, {}, "mend", "does not know the API key"),
    (500, {}, "note", "answered 500"),
]


@pytest.mark.parametrize(("status", "body", "verdict", "said"), SENDGRID)
def test_what_sendgrid_answers_is_told_in_words(
    account: Account, status: int, body: Any, verdict: str, said: str
) -> None:
    account.says(status, body)
    one, hook, _ = examine_sendgrid(settings(sendgrid_api_key="SG.secret", sendgrid_base_url=account.url))
    assert (one.verdict, said in one.text) == (verdict, True)
    assert account.asked == [("/v3/scopes", "Bearer SG.secret")]
    assert (hook.verdict, "/webhooks/sendgrid" in hook.text) == ("mend", True)
    assert "SG.secret" not in f"{one}{hook}"


TWILIO = [
    (200, {"status": "active"}, "well", "active"),
    (200, {"status": "suspended"}, "mend", "suspended"),
    (200, {}, "mend", "is not Twilio"),
    (401, {}, "mend", "does not know this account"),
    (404, {}, "mend", "no such account"),
    (429, {}, "note", "answered 429"),
]


@pytest.mark.parametrize(("status", "body", "verdict", "said"), TWILIO)
def test_what_twilio_answers_is_told_in_words(
    account: Account, status: int, body: Any, verdict: str, said: str
) -> None:
    account.says(status, body)
    given = settings(twilio_account_sid="AC1", twilio_auth_token="secret", twilio_base_url=account.url)
    one, hook, _ = examine_twilio(given)
    assert (one.verdict, said in one.text) == (verdict, True)
    assert account.asked[0][0] == "/2010-04-01/Accounts/AC1.json"
    assert "nothing is to be entered" in hook.text


def test_accounts_that_are_not_set_up_need_no_mending_but_half_ones_do() -> None:
    assert [one.verdict for one in examine_sendgrid(settings())] == ["note"]
    assert [one.verdict for one in examine_twilio(settings())] == ["note"]
    [half] = examine_twilio(settings(twilio_account_sid="AC1"))
    assert (half.verdict, "DRIPLINE_TWILIO_AUTH_TOKEN" in half.text) == ("mend", True)
    away = settings(sendgrid_api_key="SG.x", sendgrid_base_url="http://127.0.0.1:1", sendgrid_webhook_key="k")
    assert [one.verdict for one in examine_sendgrid(away)] == ["mend", "well", "note"]


def test_replies_that_nothing_verifies_are_to_be_mended() -> None:
    def verdict(**given: Any) -> str:
        known = {"sendgrid_api_key": "SG.x", "sendgrid_base_url": "http://127.0.0.1:1"}
        *_, replies = examine_sendgrid(settings(**known, **given))
        return str(replies.verdict)

    assert verdict() == "note"
    assert verdict(reply_domain="reply.example.com") == "mend"
    assert verdict(reply_domain="reply.example.com", sendgrid_inbound_key="MFkw") == "well"
    assert verdict(reply_domain="reply.example.com", sendgrid_inbound_token="s3cret") == "well"


def test_the_house_is_looked_through(open_house: Opened, workspace: Path, store_url: str) -> None:
    open_house(HELLO)
    given = settings(workspace=workspace, database_url=store_url)
    project, found = examine_workspace(given)
    assert [one.verdict for one in found] == ["note"], "a workspace without journeys is no mistake"
    by_part = {one.part: one for one in examine_store(given, project)}
    assert by_part["journeys"].text == "published: welcome"
    assert by_part["held"].verdict == "well"
    assert by_part["clock"].verdict == "well"
    assert ("migrated" in by_part["store"].text) == store_url.startswith("sqlite")
    assert ("fsync" in by_part["store"].text) != store_url.startswith("sqlite"), "the tests' server is off"
    run("stop-all", "--why", "wrong prices")
    run("pause", "welcome")
    cures = {one.cure for one in examine_store(given, project) if one.verdict == "mend"}
    assert {"dripline start-all", "dripline resume welcome"} <= cures


def test_what_is_missing_comes_with_what_to_do(tmp_path: Path) -> None:
    empty = settings(workspace=tmp_path, data=tmp_path / "data", database_url=None)
    project, found = examine_workspace(empty)
    assert found[0].verdict == "mend"
    [store] = examine_store(empty, project)
    assert (store.verdict, "dripline up" in store.cure) == ("mend", True)
    away = settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert [one.verdict for one in examine_store(away, project)] == ["mend"]
    assert [one.verdict for one in examine_web(settings(port=1))] == ["mend"]
    assert [one.verdict for one in examine_disk(empty)] == ["well"]
    production = examine_settings(settings(environment="production"))
    assert [one.verdict for one in production] == ["well", "mend", "note"]
    plain = list(examine_settings(settings(environment="production", public_url="http://mail.example.com")))
    assert (plain[1].verdict, "https" in plain[1].cure) == ("mend", True)
    secure = examine_settings(settings(environment="production", public_url="https://mail.example.com"))
    assert [one.verdict for one in secure] == ["well", "note"]


@pytest.fixture
def unused_temporal() -> Iterator[TemporalServer]:
    """A server that no other test has scheduled a sweep on."""
    server = TemporalServer()
    server.start()
    yield server
    server.kill()


@pytest.mark.temporal
def test_a_temporal_without_a_worker_is_told(
    unused_temporal: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", unused_temporal.address)
    found = {one.part: one for one in examine_temporal(settings())}
    assert found["temporal"].verdict == "well"
    assert unused_temporal.address in found["temporal"].text
    assert found["sweep"].verdict == "mend"
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert [one.verdict for one in examine_temporal(settings())] == ["mend"]


def test_programs_are_told_the_same_and_the_code_says_whether_there_is_something_to_mend(
    workspace: Path,
) -> None:
    command = [sys.executable, "-m", "dripline", "doctor", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert {"part", "verdict", "text", "cure"} == set(found[0])
    assert "web" in {one["part"] for one in found if one["verdict"] == "mend"}
