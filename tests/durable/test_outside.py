"""What leaves the process for a step: tried, bounded, answered once, dropped when nobody waits any more."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from activities.calling import MAX_ANSWER, Caller, Refused, TryAgain, is_public
from activities.effects import TRIES, Outside
from activities.functions import CallFailed, Functions
from activities.sweep import Patience, Sweeper
from dripline.language.plan import (
    Arm,
    BranchStep,
    CallStep,
    DiscountStep,
    Plan,
    Shop,
    StopStep,
    WebhookStep,
)
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import set_stopped
from dripline.store.restored import review
from tests.durable.house import NOW, House, Thread
from tests.engine.plans import plan

KEY = "whsec_" + base64.b64encode(b"0" * 32).decode()


class Other:
    """Another system on the loopback interface; `answers` are given in turn, the last for ever."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = [(200, {}, b'{"score": 9}')]
        other = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                other.requests.append((dict(self.headers.items()), body))
                status, headers, said = other.answers.pop(0) if len(other.answers) > 1 else other.answers[0]
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(said))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST  # noqa: N815 (the name is of http.server)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://localhost:{self.server.server_port}/x"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def other() -> Iterator[Other]:
    other = Other()
    yield other
    other.server.shutdown()
    other.server.server_close()


def asking(url: str, **more: Any) -> Plan:
    """A journey that asks, and ends as `good` or `bad`."""
    return plan(
        WebhookStep(
            id="ask", url=url, method="POST", body={"a": "{{ lead.email }}"}, result="crm", next="w", **more
        ),
        BranchStep(id="w", arms=(Arm(when="crm.ok and crm.json.score > 5", to="good"),), next="bad"),
        StopStep(id="good", reason="good"),
        StopStep(id="bad", reason="bad"),
    )


class Asking(House):
    """A house whose run has asked already."""

    def __init__(
        self, store: Store, journey: Plan, caller: Caller, functions: Functions | None = None
    ) -> None:
        super().__init__(store, journey)
        self.outside = Outside(store, caller, functions or Functions(None), clock=self.clock)
        [self.run_id] = self.happens("lead.created")
        [delivery] = self.advance(self.run_id, NOW).deliver
        assert (delivery.queue, delivery.local) == ("effects", False)
        self.key = delivery.message

    def outcome(self) -> tuple[str | None, str | None]:
        """How the run ended, after one more turn."""
        self.advance(self.run_id, NOW + timedelta(seconds=1))
        run = self.run(self.run_id)
        return run.outcome, run.outcome_reason

    def inbox(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(schema.inbox).where(schema.inbox.c.kind == "effect")).all())


def local(**more: Any) -> Caller:
    return Caller(2.0, allow_private=["localhost"], **more)


def test_an_answer_comes_back_and_the_run_wants_waking(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    before = house.run(house.run_id).wake_wanted
    assert house.outside.attempt(house.key) is None
    [(headers, body)] = other.requests
    assert headers["Idempotency-Key"] == house.key
    assert headers["Host"].startswith("localhost:")
    assert json.loads(body) == {"a": "ani@example.com"}
    assert house.run(house.run_id).wake_wanted == before + 1
    assert house.outcome() == ("stopped", "good")
    assert house.advance(house.run_id, NOW).deliver == []


def test_the_same_call_is_made_once_more_only_under_its_key_and_answered_once(
    store: Store, other: Other
) -> None:
    house = Asking(store, asking(other.url), local())
    threads = [Thread(f"try-{n}", lambda: house.outside.attempt(house.key)) for n in range(4)]
    assert [thread.done() for thread in threads] == [None] * 4
    assert {headers["Idempotency-Key"] for headers, _ in other.requests} == {house.key}
    assert len(house.inbox()) == 1
    asked = len(other.requests)
    assert house.outside.attempt(house.key) is None
    assert len(other.requests) == asked


def test_busy_answers_are_tried_again_with_growing_pauses_and_then_told(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    other.answers = [(429, {"Retry-After": "30"}, b""), (503, {}, b"")]
    pauses = [house.outside.attempt(house.key) for _ in range(TRIES)]
    assert pauses == [30.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, None]
    [row] = house.inbox()
    assert row.payload["said"] == {"ok": False, "skipped": False, "status": 503, "reason": "status-503"}
    assert house.outcome() == ("stopped", "bad")


def test_a_try_that_never_came_back_counts(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    with store.write() as connection:
        connection.execute(update(schema.outbox).values(attempts=TRIES))
    assert house.outside.attempt(house.key) is None
    assert other.requests == []
    assert house.inbox()[0].payload["said"]["reason"] == "no answer in time"


def test_a_run_that_was_left_is_not_asked_for(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    house.happens("lead.unsubscribed")
    assert house.advance(house.run_id, NOW).ended
    assert house.outside.attempt(house.key) is None
    assert other.requests == []
    assert house.inbox() == []


def test_an_answer_that_comes_after_the_end_changes_nothing(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    row = house.outside._begin(house.key)
    house.happens("lead.unsubscribed")
    house.advance(house.run_id, NOW)
    house.outside._answer(row, {"ok": True})  # type: ignore[arg-type] # the row of a try that may be made
    assert house.outcome() == ("exit", "unsubscribed")


def test_nothing_is_called_while_everything_is_stopped(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    with store.write() as connection:
        set_stopped(connection, NOW)
    assert house.outside.attempt(house.key) == 60.0
    with store.write() as connection:
        set_stopped(connection, None)
    assert house.outside.attempt(house.key) is None
    assert len(other.requests) == 1


def test_a_call_that_may_have_been_made_since_the_backup_waits_for_a_person(
    store: Store, other: Other
) -> None:
    house = Asking(store, asking(other.url), local())
    with store.write() as connection:
        connection.execute(update(schema.runs).values(wake_done=schema.runs.c.wake_wanted))
        assert review(connection, NOW).runs == 1
    assert house.outside.attempt(house.key) == 60.0
    assert other.requests == []
    with store.write() as connection:
        connection.execute(update(schema.runs).values(held_at=None, parked_reason=None))
    assert house.outside.attempt(house.key) is None
    assert len(other.requests) == 1


def test_the_sweep_finds_what_nobody_tries_any_more(store: Store, other: Other) -> None:
    house = Asking(store, asking(other.url), local())
    house.clock.offset = timedelta(minutes=6)
    before = house.run(house.run_id).wake_wanted
    Sweeper(store, {}, Patience(), house.clock).sweep()
    assert house.run(house.run_id).wake_wanted > before


# -- the call itself ---------------------------------------------------------------------------------------------


def request(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "method": "POST", "headers": {}, "body": None} | more


def test_a_signature_verifies_as_standard_webhooks_says(other: Other) -> None:
    local(signing_secret=KEY).call("k1", request(other.url, body={"name": "Անի"}))
    [(headers, body)] = other.requests
    assert Webhook(KEY).verify(body, headers) == {"name": "Անի"}


def test_while_keys_change_both_verify(other: Other) -> None:
    new = "whsec_" + base64.b64encode(b"1" * 32).decode()
    local(signing_secret=f"{new} {KEY}").call("k1", request(other.url, body={"name": "Անի"}))
    [(headers, body)] = other.requests
    sent = {name.lower(): value for name, value in headers.items()}
    assert len(sent["webhook-signature"].split(" ")) == 2
    for key in (new, KEY):
        assert Webhook(key).verify(body, headers) == {"name": "Անի"}
    stranger = "whsec_" + base64.b64encode(b"2" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body + b" ", headers)


@pytest.mark.parametrize("wrong", ["whsec_", "short", "whsec_c2hvcnQ=", f"{KEY} whsec_%%%"])
def test_a_secret_that_signs_nothing_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError, match="webhook_secret"):
        Settings(_env_file=None, webhook_secret=wrong)


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "127.1", "0", "localhost", "LOCALHOST", "127。0。0。1"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]"),
        *("169.254.169.254", "[fe80::1]", "2852039166"),
    ],
)
def test_ourselves_by_any_other_name_is_refused(host: str) -> None:
    """Looked up by the system's own means, which reads numbers as C did."""
    with pytest.raises(Refused, match=r"private-address|bad-url"):
        Caller(2.0).call("k", request(f"http://{host}:1/latest/meta-data"))


@pytest.mark.parametrize("host", ["0177.0.0.1", "a@127.0.0.1", "localhost.", "0x7f.0.0.1"])
def test_ourselves_is_never_called_however_it_is_written(host: str) -> None:
    with pytest.raises((Refused, TryAgain), match=r"private-address|bad-url|unknown-host"):
        Caller(2.0).call("k", request(f"http://{host}:1/"))


def test_secrets_are_put_in_where_the_request_leaves(other: Other) -> None:
    headers = {"X-Token": [["text", "Bearer "], ["secret", "crm"]]}
    local(secrets={"crm": "s3cret"}).call("k1", request(other.url, headers=headers))
    assert other.requests[0][0]["X-Token"] == "Bearer s3cret"
    with pytest.raises(Refused, match="no-secret: crm"):
        local().call("k1", request(other.url, headers=headers))


def test_what_is_called_is_written_to_no_log(
    store: Store, other: Other, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    journey = asking(other.url + "?e={{ lead.email }}", headers={"X-Token": "{{ secret.crm }}"})
    house = Asking(store, journey, local(secrets={"crm": "s3cret"}))
    house.outside.attempt(house.key)
    said = caplog.text + "".join(capfd.readouterr())
    assert other.requests
    assert "s3cret" not in said


def test_redirects_are_an_answer_not_a_way(other: Other) -> None:
    other.answers = [(302, {"Location": "http://169.254.169.254/"}, b"")]
    said = local().call("k1", request(other.url))
    assert (said["ok"], said["status"]) == (False, 302)
    assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[1, 2]", {"json": [1, 2]}),
        (b'{"a": "x\\u0000y\\ud800"}', {"json": {"a": "xy?"}}),
        (b"NaN", {"text": "NaN"}),
        (b"[" * 10_000, {"text": "[" * 10_000}),
        (b"[" * 60 + b"]" * 60, {"text": "[" * 60 + "]" * 60}),
        (b"hello\x00 \xff", {"text": "hello \ufffd"}),
        (b"", {"text": ""}),
        (b"9" * 5_000, {"text": "9" * 5_000}),
    ],
)
def test_whatever_comes_back_can_be_kept(other: Other, body: bytes, said: dict[str, Any]) -> None:
    other.answers = [(200, {}, body)]
    assert local().call("k1", request(other.url)) == {"ok": True, "status": 200, "skipped": False} | said


def test_a_long_answer_is_cut_off(other: Other) -> None:
    other.answers = [(200, {}, b'"' + b"x" * 2 * MAX_ANSWER + b'"')]
    said = local().call("k1", request(other.url))
    assert "json" not in said
    assert len(said["text"]) == MAX_ANSWER


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::"),
        *("::7f00:1", "fec0::1", "64:ff9b:1::a00:1", "5f00::1", "3fff::1", "2001:db8::1", "2001:0:7f00:1::"),
        *("64:ff9b::7f00:1", "224.0.0.1", "ff02::1", "255.255.255.255", "nonsense"),
    ],
)
def test_addresses_within_are_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Refused, match="private-address"):
        Caller(lookup=lambda host, port: ["8.8.8.8", address]).call("k", request("http://x.example/"))


def test_addresses_of_the_internet_are_public() -> None:
    assert all(map(is_public, ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"]))


def test_a_host_is_looked_up_once_and_that_address_called(other: Other) -> None:
    found: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        found.append(host)
        return ["127.0.0.1"] if len(found) == 1 else ["10.0.0.1"]

    port = other.server.server_port
    caller = Caller(2.0, allow_private=["crm.example"], lookup=rebinding)
    assert caller.call("k1", request(f"http://crm.example:{port}/"))["ok"]
    assert found == ["crm.example"]
    assert other.requests[0][0]["Host"] == f"crm.example:{port}"


@pytest.mark.parametrize("url", ["ftp://x.example/", "http://", "http://u:p@x.example/", "x", "http://[::1"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="bad-url"):
        Caller(lookup=lambda host, port: ["8.8.8.8"]).call("k", request(url))


def test_a_header_cannot_begin_another(other: Other) -> None:
    with pytest.raises(Refused, match="bad-header"):
        local().call("k1", request(other.url, headers={"X-A": [["text", "a\r\nX-B: c"]]}))


def test_nobody_there_is_tried_again() -> None:
    with pytest.raises(TryAgain, match="no-connection"):
        Caller(2.0, allow_private=True).call("k", request("http://127.0.0.1:1/"))


# -- functions ---------------------------------------------------------------------------------------------------

EXTENSIONS = """
imported = []
imported.append(1)

def rate(seats, idempotency_key):
    return {"score": seats * 2, "key": idempotency_key, "imports": len(imported)}

def fail():
    raise KeyError("ani@example.com")

def odd():
    return {1, 2}

def _hidden():
    return 1
"""


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    (tmp_path / "extensions.py").write_text(EXTENSIONS)
    return Functions.of(tmp_path)


def calling(function: str, **arguments: Any) -> Plan:
    return plan(
        CallStep(id="ask", function=function, arguments=arguments, result="rating", next="w"),
        BranchStep(id="w", arms=(Arm(when="rating.result.score > 5", to="good"),), next="bad"),
        StopStep(id="good", reason="good"),
        StopStep(id="bad", reason="bad"),
    )


def test_a_function_is_called_and_its_answer_used(store: Store, functions: Functions) -> None:
    house = Asking(store, calling("rate", seats="{{ 3 }}"), local(), functions)
    assert house.outside.attempt(house.key) is None
    assert house.inbox()[0].payload["said"]["result"] == {"score": 6, "key": house.key, "imports": 1}
    assert house.outcome() == ("stopped", "good")


def test_a_function_that_fails_is_called_again_and_then_parks_the_run(
    store: Store, functions: Functions
) -> None:
    house = Asking(store, calling("fail"), local(), functions)
    pauses = [house.outside.attempt(house.key) for _ in range(TRIES)]
    assert pauses[0] == 5.0
    assert pauses[-1] is None
    house.advance(house.run_id, NOW)
    assert house.run(house.run_id).parked_reason == "call-failed: KeyError"
    [again] = house.advance(house.run_id, NOW).deliver
    assert again.message != house.key


@pytest.mark.parametrize(
    ("name", "code"), [("odd", "no-json"), ("_hidden", "unknown-function"), ("no", "unknown-function")]
)
def test_what_cannot_be_called_is_told(functions: Functions, name: str, code: str) -> None:
    with pytest.raises(CallFailed, match=code):
        functions.call("k", name, {})


def test_a_workspace_without_extensions_has_no_functions(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="unknown-function"):
        Functions.of(tmp_path).call("k", "rate", {})


# -- a shop's own codes ------------------------------------------------------------------------------------------


def offering(url: str) -> Plan:
    """A journey that gives a code of the shop's."""
    offer = DiscountStep(id="ask", percent=15, shop="main", result="offer", next="w")
    told = plan(
        offer,
        BranchStep(id="w", arms=(Arm(when="offer.code == 'SHOP-1'", to="good"),), next="bad"),
        StopStep(id="good", reason="good"),
        StopStep(id="bad", reason="bad"),
    )
    return told.model_copy(update={"shops": {"main": Shop(url=url, headers={"X-Shop": "{{ secret.shop }}"})}})


def test_a_code_that_the_shop_has_made_is_the_leads(store: Store, other: Other) -> None:
    other.answers = [(503, {}, b""), (201, {}, b'{"code": "SHOP-1"}')]
    house = Asking(store, offering(other.url), local(secrets={"shop": "s3cret"}))
    assert house.outside.attempt(house.key) is not None
    assert house.outside.attempt(house.key) is None
    assert [headers["Idempotency-Key"] for headers, _ in other.requests] == [house.key] * 2
    assert other.requests[0][0]["X-Shop"] == "s3cret"
    assert house.outcome() == ("stopped", "good")
    with store.read() as connection:
        [row] = connection.execute(select(schema.discounts)).all()
    assert (row.code, row.shop, row.shared, row.lead_id) == ("SHOP-1", "main", False, "lead-1")


def test_a_code_that_another_lead_has_is_not_given_twice(store: Store, other: Other) -> None:
    other.answers = [(200, {}, b'{"code": "shop-1"}')]
    house = Asking(store, offering(other.url), local(secrets={"shop": "x"}))
    with store.write() as connection:
        connection.execute(
            insert(schema.discounts).values(
                id="before", code="SHOP-1", plain_code="SHOP1", shared=False, lead_id="lead-1", run_id=house.run_id,
                journey="other", step="s", visit=1, issued_at=NOW,
            )
        )  # fmt: skip
    house.outside.attempt(house.key)
    assert house.outcome() == ("stopped", "bad")
    assert house.run(house.run_id).variables["offer"]["reason"] == "the shop's code is another lead's"
