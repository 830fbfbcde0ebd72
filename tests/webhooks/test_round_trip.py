"""The whole circle: our clients send to the sink, which calls our real web server back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import Twilio
from dripline.providers import Outgoing, Uncertain
from dripline.settings import Settings
from dripline.web.webhooks import build_router
from tests.sink import Behaviour, Sink, Webhooks, accept_and_drop
from tests.webhooks.conftest import Ledger, Remembered


def mail(key: str) -> Outgoing:
    return Outgoing(key, "email", "anahit@example.am", "hello@dripline.example", None, "Բարև", None, "Բարև")


def text(key: str, public_url: str) -> Outgoing:
    callback = f"{public_url}/webhooks/twilio?key={key}"
    return Outgoing(key, "sms", "+37491234567", "+15005550006", None, None, None, "Բարև", callback)


def test_a_send_without_an_answer_is_settled_by_what_the_provider_calls_back(ledger: Ledger) -> None:
    with Sink(Behaviour([accept_and_drop(), accept_and_drop()])) as sink, web(sink, ledger) as url:
        sink.webhooks = Webhooks(sendgrid_url=f"{url}/webhooks/sendgrid")
        with pytest.raises(Uncertain):
            SendGrid(sink.api_key, 2.0, sink.url).send(mail("mail-1"))
        with pytest.raises(Uncertain):
            Twilio(sink.account_sid, sink.auth_token, 2.0, sink.url).send(text("text-1", url))
        sink.settle()

        assert {(report.key, report.kind) for report in ledger.reports} == {
            ("mail-1", "accepted"),
            ("mail-1", "delivered"),
            ("text-1", "accepted"),
            ("text-1", "delivered"),
        }
        assert {report.provider_id for report in ledger.reports} == {taken.id for taken in sink.accepted}


def test_news_is_told_again_until_the_store_is_back(ledger: Ledger) -> None:
    ledger.away = True
    with Sink() as sink, web(sink, ledger) as url:
        sink.webhooks = Webhooks(sendgrid_url=f"{url}/webhooks/sendgrid", retry_every=0.1)
        SendGrid(sink.api_key, 2.0, sink.url).send(mail("mail-1"))
        time.sleep(0.5)
        assert ledger.reports == []

        ledger.away = False
        sink.settle()

        assert [report.kind for report in ledger.reports] == ["accepted", "delivered"]
        assert sink.called[0].tries > 1


def test_the_sink_can_tell_twice_in_any_order_or_nothing(ledger: Ledger) -> None:
    with Sink() as sink, web(sink, ledger) as url:
        provider = SendGrid(sink.api_key, 2.0, sink.url)
        sink.webhooks = Webhooks(sendgrid_url=f"{url}/webhooks/sendgrid", doubled=True, shuffled=True)
        provider.send(mail("twice"))
        sink.settle()
        sink.webhooks = Webhooks(on=False)
        provider.send(mail("never"))
        sink.settle()

        assert sorted((report.key, report.kind) for report in ledger.reports) == [
            ("twice", "accepted"),
            ("twice", "accepted"),
            ("twice", "delivered"),
            ("twice", "delivered"),
        ]


def test_a_later_bounce_is_heard(ledger: Ledger) -> None:
    with Sink() as sink, web(sink, ledger) as url:
        sink.webhooks = Webhooks(sendgrid_url=f"{url}/webhooks/sendgrid")
        SendGrid(sink.api_key, 2.0, sink.url).send(mail("mail-1"))
        sink.settle()

        called = sink.report(sink.accepted[0], "bounce", type="bounce", status="5.1.1")

        assert called.status == 204
        assert (ledger.reports[-1].kind, ledger.reports[-1].reason) == ("bounced", "sendgrid.bounced.5.1.1")


@contextmanager
def web(sink: Sink, ledger: Ledger) -> Iterator[str]:
    settings = Settings(
        sendgrid_webhook_key=sink.sendgrid_webhook_key, twilio_auth_token=SecretStr(sink.auth_token)
    )
    server = uvicorn.Server(uvicorn.Config(FastAPI(), port=0, log_level="warning", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app = server.config.app
    assert isinstance(app, FastAPI)
    app.include_router(
        build_router(settings.model_copy(update={"public_url": url}), ledger.record, Remembered())
    )
    yield url
    server.should_exit = True
    thread.join()
