"""The provider pages of the doctor, beside accounts (the sink's) that are set up little by little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.sink import ACCOUNT_SID, Sink
from tests.sink.setup import DOMAINS, INBOUND, SCOPES, TRACKING, WEBHOOKS

HERE = "https://mail.example.com"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def told(provider: str) -> dict[str, tuple[bool | None, str]]:
    """Each step: whether it is done, and what was seen."""
    _, out = run("doctor", "--provider", provider, "--format", "json")
    return {step["title"]: (step["done"], step["seen"]) for step in json.loads(out)}


def test_from_nothing_every_step_of_sendgrid_says_what_to_do(workspace: Path) -> None:
    code, out = run("doctor", "--provider", "sendgrid")
    assert code == 1
    for words in (
        " 1. ? Have an account",
        "Restricted Access, with Mail Send",
        "DRIPLINE_SENDGRID_API_KEY is not set",
        "Authenticate Your Domain: example.com",
        '_dmarc.example.com a TXT record: "v=DMARC1; p=none',
        "/webhooks/sendgrid",
        "Enable Signed Event Webhook",
        "DRIPLINE_SENDGRID_WEBHOOK_KEY",
        "switch Subscription Tracking off",
        "MX 10 mx.sendgrid.net",
        "DRIPLINE_REPLY_DOMAIN",
        "DRIPLINE_ENVIRONMENT=production",
        "steps to be done.",
    ):
        assert words in out, words
    assert "✗ Hear what people answer" not in out, "it may be left out"


def test_what_is_done_at_sendgrid_is_ticked_by_looking(
    workspace: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SENDGRID_API_KEY": sink.api_key,
        "SENDGRID_BASE_URL": sink.url,
        "SENDGRID_WEBHOOK_KEY": sink.sendgrid_webhook_key,
        "SENDGRID_INBOUND_KEY": sink.sendgrid_webhook_key,
        "REPLY_DOMAIN": "reply.example.com",
        "PUBLIC_URL": HERE,
        "ENVIRONMENT": "production",
    }.items():
        monkeypatch.setenv(f"DRIPLINE_{name}", value)
    mine, tells, off, hears = (
        "Show that example.com is yours",
        "Let SendGrid tell us what becomes of mails",
        "Switch SendGrid's own tracking off",
        "Hear what people answer",
    )
    steps = told("sendgrid")
    assert (steps["Make an API key"][0], steps["Be reachable"][0], steps["Write to everybody"][0]) == (
        True,
    ) * 3
    assert [steps[title][0] for title in (mine, tells, off, hears)] == [None] * 4, "the key may not see it"
    webhook = {"url": f"{HERE}/webhooks/sendgrid", "enabled": True, "delivered": True, "bounce": False}
    record = {"valid": False, "type": "cname", "host": "em1.example.com", "data": "u1.wl.sendgrid.net"}
    sink.setup.sendgrid |= {
        DOMAINS: [{"domain": "example.com", "valid": False, "dns": {"mail_cname": record}}],
        WEBHOOKS: {"webhooks": [webhook]},
        TRACKING: {"result": [{"name": "subscription", "enabled": True}, {"name": "open", "enabled": False}]},
        INBOUND: {"result": [{"hostname": "other.example.com", "url": "https://elsewhere.example.com"}]},
    }
    steps = told("sendgrid")
    assert [steps[title][0] for title in (mine, tells, off, hears)] == [False] * 4
    assert steps[tells][1] == "these events are not ticked: bounce"
    assert steps[off][1] == "on: subscription"
    assert "em1.example.com  CNAME  u1.wl.sendgrid.net" in run("doctor", "--provider", "sendgrid")[1]
    sink.setup.sendgrid |= {
        DOMAINS: [{"domain": "example.com", "valid": True}],
        WEBHOOKS: {"webhooks": [{**webhook, "bounce": True, "public_key": sink.sendgrid_webhook_key}]},
        TRACKING: {"result": [{"name": "subscription", "enabled": False}]},
        INBOUND: {"result": [{"hostname": "reply.example.com", "url": f"{HERE}/webhooks/sendgrid/inbound"}]},
    }
    steps = told("sendgrid")
    assert [steps[title][0] for title in (mine, tells, off, hears)] == [True] * 4
    code, out = run("doctor", "--provider", "sendgrid")
    assert (code, "Nothing that can be seen is left" in out) == (0, True)
    assert sink.api_key not in out
    sink.setup.sendgrid[WEBHOOKS]["webhooks"][0]["public_key"] = "another"
    assert "another key" in told("sendgrid")[tells][1]
    sink.setup.sendgrid[SCOPES] = {"scopes": ["stats.read"]}
    assert told("sendgrid")["Make an API key"] == (False, "the key may not send mail")


def test_from_nothing_every_step_of_twilio_says_what_to_do(workspace: Path) -> None:
    code, out = run("doctor", "--provider", "twilio")
    assert code == 1
    for words in (
        "DRIPLINE_TWILIO_ACCOUNT_SID is not set",
        "DRIPLINE_TWILIO_AUTH_TOKEN",
        "messaging service",
        "Have the number +15005550006",
        "/webhooks/twilio/inbound, HTTP POST",
        "Advanced Opt-Out",
        "A2P 10DLC",
        "Nothing is to be entered",
    ):
        assert words in out, words


def test_what_is_done_at_twilio_is_ticked_by_looking(
    workspace: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": sink.auth_token,
        "TWILIO_BASE_URL": sink.url,
        "PUBLIC_URL": HERE,
    }.items():
        monkeypatch.setenv(f"DRIPLINE_{name}", value)
    number, hears = "Have the number +15005550006", "Hear what people answer to +15005550006"
    steps = told("twilio")
    assert steps["Have an account"] == (True, "it is active")
    assert steps[number] == (False, "this account has no such number")
    bought = {
        "phone_number": "+15005550006",
        "capabilities": {"sms": True},
        "sms_url": "",
        "sms_method": "POST",
    }
    sink.setup.numbers.append(bought)
    assert (told("twilio")[number][0], told("twilio")[hears]) == (True, (False, "it leads to nowhere"))
    bought["sms_url"] = f"{HERE}/webhooks/twilio/inbound"
    assert told("twilio")[hears][0] is True
    sink.setup.account["type"] = "Trial"
    assert told("twilio")["Have an account"] == (False, "it is active, and a trial")
    monkeypatch.setenv("DRIPLINE_TWILIO_AUTH_TOKEN", "wrong")
    assert told("twilio")["Have an account"][0] is False
    assert sink.auth_token not in run("doctor", "--provider", "twilio")[1]
