"""A sink that calls nobody back, and the real clients pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import Twilio
from dripline.providers import Outgoing
from tests.sink import Behaviour, Sink, Webhooks

TIMEOUT = 1.0


@pytest.fixture(scope="package")
def running() -> Iterator[Sink]:
    with Sink(webhooks=Webhooks(on=False)) as sink:
        yield sink


@pytest.fixture
def sink(running: Sink) -> Sink:
    running.reset()
    running.behaviour = Behaviour()
    return running


@pytest.fixture
def sendgrid(sink: Sink) -> SendGrid:
    return SendGrid(sink.api_key, TIMEOUT, sink.url)


@pytest.fixture
def twilio(sink: Sink) -> Twilio:
    return Twilio(sink.account_sid, sink.auth_token, TIMEOUT, sink.url)


@pytest.fixture
def email() -> Outgoing:
    return Outgoing(
        key="9f1c6a52b0e94f0f8d3f6f0a5d2f7c11",
        channel="email",
        to="anahit@example.am",
        sender="hello@dripline.example",
        sender_name="Ծաղիկ",
        subject="Բարի գալուստ 🌷",
        html="<p>Բարև, Անահիտ</p>",
        text="Բարև, Անահիտ",
    )


@pytest.fixture
def sms() -> Outgoing:
    return Outgoing(
        key="0d9b6a52b0e94f0f8d3f6f0a5d2f7c12",
        channel="sms",
        to="+37491234567",
        sender="+15005550006",
        sender_name=None,
        subject=None,
        html=None,
        text="Ձեր պատվերը ճանապարհին է & 100%",
        status_callback="http://127.0.0.1:8080/webhooks/twilio?key=0d9b6a52b0e94f0f8d3f6f0a5d2f7c12",
    )
