"""Trouble before anything was sent is known to be that."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection

import pytest

from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import Twilio
from activities.providers.wire import NotSent, Wire, _Attempt
from dripline.providers import NotAccepted, Outgoing, Provider
from tests.providers.conftest import TIMEOUT
from tests.sink import Sink


def problem_of(provider: Provider, message: Outgoing) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        provider.send(message)
    return caught.value


def test_a_provider_that_is_down_has_taken_nothing_and_can_be_asked_again(
    sink: Sink, sendgrid: SendGrid, twilio: Twilio, email: Outgoing, sms: Outgoing
) -> None:
    sink.close_listener()
    try:
        assert problem_of(sendgrid, email).code == "sendgrid.connection-refused"
        assert problem_of(twilio, sms).code == "twilio.connection-refused"
    finally:
        sink.reopen()

    sendgrid.send(email)
    twilio.send(sms)

    assert [taken.key for taken in sink.accepted] == [email.key, sms.key]


def test_a_name_that_nobody_knows_is_not_accepted(email: Outgoing, sms: Outgoing) -> None:
    nowhere = "http://provider.invalid"  # RFC 2606: never resolves
    for provider, message in (
        (SendGrid("SG.x", TIMEOUT, nowhere), email),
        (Twilio("AC1", "x", TIMEOUT, nowhere), sms),
    ):
        assert problem_of(provider, message).code in {
            f"{provider.name}.unknown-host",
            f"{provider.name}.connect-timeout",
        }


def test_a_peer_that_does_not_speak_tls_is_sent_nothing(sink: Sink, email: Outgoing) -> None:
    provider = SendGrid(sink.api_key, TIMEOUT, sink.url.replace("http:", "https:"))

    assert problem_of(provider, email).code in {"sendgrid.tls", "sendgrid.unreachable"}
    assert sink.asked == []


def test_a_handshake_that_never_ends_is_given_up_before_anything_is_sent(email: Outgoing) -> None:
    with silent_listener() as port:
        began = time.monotonic()

        problem = problem_of(SendGrid("SG.x", 0.5, f"https://127.0.0.1:{port}"), email)

        assert problem.code == "sendgrid.connect-timeout"
        assert time.monotonic() - began < 1.0


def test_a_connection_that_comes_too_late_is_not_used(sink: Sink) -> None:
    connection = HTTPConnection("127.0.0.1", int(sink.url.rpartition(":")[2]))
    attempt = _Attempt(connection, "POST", "/_sink/behaviour", {}, b'{"mix": {"drop": 1.0}}')
    before = sink.behaviour

    with pytest.raises(NotSent, match="connect-timeout"):
        attempt.outcome()
    attempt.run()  # as its thread would, when the look-up of the name comes back at last

    assert sink.behaviour is before


def test_no_time_left_is_no_connection(sink: Sink) -> None:
    with pytest.raises(NotSent):
        Wire(sink.url).exchange("GET", "/_sink/accepted", {}, None, deadline=time.monotonic() - 1)


def test_a_proxy_of_the_environment_is_used_but_not_for_loopback(
    sink: Sink, email: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", sink.url)

    SendGrid(sink.api_key, TIMEOUT, "http://provider.invalid").send(email)
    assert len(sink.accepted) == 1, "the proxy answered in its place"

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    SendGrid(sink.api_key, TIMEOUT, sink.url).send(email)
    assert len(sink.accepted) == 2


def test_many_threads_share_one_provider(sink: Sink, sendgrid: SendGrid, email: Outgoing) -> None:
    threads = [threading.Thread(target=sendgrid.send, args=(email,)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sink.accepted) == 32


@pytest.mark.parametrize("address", ["ftp://x", "api.sendgrid.com", "http://"])
def test_a_base_address_that_is_none_is_refused_at_start(address: str) -> None:
    with pytest.raises(ValueError, match="base address"):
        Wire(address)


def test_replies_go_to_the_address_that_names_the_message(
    sink: Sink, sendgrid: SendGrid, email: Outgoing
) -> None:
    to, away = "reply+1@reply.example.com", "unsubscribe+1@reply.example.com"
    sendgrid.send(replace(email, reply_to=to, unsubscribe="https://a.example/l/x", unsubscribe_mail=away))
    [taken] = sink.accepted
    assert taken.posted.reply_to == to
    told = dict(taken.posted.headers)
    assert told["List-Unsubscribe"] == f"<https://a.example/l/x>, <mailto:{away}?subject=unsubscribe>"
    assert "Reply-To" not in told, "SendGrid refuses it there"


def test_mail_programs_are_told_where_one_click_unsubscribes(
    sink: Sink, sendgrid: SendGrid, email: Outgoing
) -> None:
    at = "https://journeys.example.com/l/WyJ1IiwiOWYxYyJd.x-y_z"
    sendgrid.send(replace(email, key="marketing", unsubscribe=at))
    sendgrid.send(email)
    marketing, receipt = sink.accepted
    assert dict(marketing.posted.headers) == {
        "List-Unsubscribe": f"<{at}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert receipt.posted.headers == ()


def test_sendgrid_is_told_not_to_track_what_we_track(sink: Sink, sendgrid: SendGrid, email: Outgoing) -> None:
    sendgrid.send(replace(email, key="tracked", untouched=True))
    sendgrid.send(email)
    assert [taken.posted.untouched for taken in sink.accepted] == [True, False]


@contextmanager
def silent_listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
