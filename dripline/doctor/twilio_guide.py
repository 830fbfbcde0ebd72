"""Twilio from nothing. What its API tells is only read (https://www.twilio.com/docs/usage/api)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from dripline.doctor.guides import Step, hook, production, reached, senders
from dripline.language.workspace import Workspace
from dripline.settings import Settings

_PATIENCE = 8.0  # seconds


def twilio_steps(settings: Settings, workspace: Workspace | None) -> Iterator[Step]:
    """What is to be done, in this order."""
    account = _get(settings, ".json")
    yield _account(settings, account)
    yield reached(settings, "Twilio")
    found = senders(workspace, of_mail=False)
    yield Step(
        "Say whom text messages are from",
        bool(found),
        (
            'In dripline.yaml: `senders: {sms: {address: "+15005550006"}}`, or the SID of a messaging service (MG…),',
            "which is better for many: it chooses among several numbers, and keeps opt-outs for all of them.",
        ),
        ", ".join(found),
    )
    for sender in found:
        yield from _sender(settings, sender)
    yield Step(
        "Register what the countries ask for",
        None,
        (
            "United States: the brand and the campaign (A2P 10DLC), or the verification of a toll-free number;",
            "else carriers block what you send (error 30034). Many others: a sender's name that is registered.",
            "Console → Regulatory Compliance.",
            "Messaging → Settings → Geo permissions: the countries that you write to, and no others.",
        ),
    )
    callback = hook(settings, "/webhooks/twilio")
    yield Step(
        "Let Twilio tell us what becomes of messages",
        bool(settings.twilio_auth_token) and account is not None,
        ("Nothing is to be entered: each message says where to report.",),
        f"it is told {callback}",
    )
    yield production(settings)


def _account(settings: Settings, account: Any) -> Step:
    how = (
        "Make an account at https://www.twilio.com, and upgrade it: a trial writes to verified numbers only.",
        "Console → Account info: set DRIPLINE_TWILIO_ACCOUNT_SID and DRIPLINE_TWILIO_AUTH_TOKEN, and start all again.",
    )
    title = "Have an account"
    if not settings.twilio_account_sid or not settings.twilio_auth_token:
        name = "DRIPLINE_TWILIO_AUTH_TOKEN" if settings.twilio_account_sid else "DRIPLINE_TWILIO_ACCOUNT_SID"
        return Step(title, False, how, f"{name} is not set")
    if not isinstance(account, dict) or "status" not in account:
        return Step(
            title, False, how, f"{settings.twilio_base_url} does not answer, or does not know the two"
        )
    trial = account.get("type") == "Trial"
    seen = f"it is {account['status']}" + (", and a trial" if trial else "")
    return Step(title, account["status"] == "active" and not trial, how, seen)


def _sender(settings: Settings, sender: str) -> Iterator[Step]:
    url = hook(settings, "/webhooks/twilio/inbound")
    opt_out = Step(
        "Let STOP, START and HELP be understood",
        None,
        (
            "Messaging → Services → yours → Opt-Out Management: Advanced Opt-Out, with your languages' words.",
            "Then Twilio answers and tells us. Without it Twilio knows the English words, and we the others.",
        ),
        wanted=False,
    )
    if sender.startswith("MG"):
        how = f"Messaging → Services → {sender} → Integration: Send a webhook, Request URL {url}, HTTP POST."
        yield Step(f"Hear what people answer to {sender}", None, (how,))
        yield opt_out
        return
    if not sender.startswith("+"):
        how = "A name cannot be answered, not by STOP either: a message needs another way to say no, such as a link."
        yield Step(f"Know that nobody can answer {sender}", None, (how,), wanted=False)
        return
    said = _get(settings, "/IncomingPhoneNumbers.json", PhoneNumber=sender)
    rows = said.get("incoming_phone_numbers") if isinstance(said, dict) else None
    number = next(
        (row for row in rows or () if isinstance(row, dict) and row.get("phone_number") == sender), None
    )
    buy = (
        "Phone Numbers → Manage → Buy a number: one that can send SMS in the countries that you write to.",
    )
    if rows is None:
        yield Step(f"Have the number {sender}", None, buy)
    else:
        able = number is not None and bool((number.get("capabilities") or {}).get("sms"))
        seen = (
            "it is yours"
            if able
            else "it is yours, but cannot send SMS"
            if number
            else "this account has no such number"
        )
        yield Step(f"Have the number {sender}", able, buy, seen)
    enter = (
        f"Phone Numbers → Manage → {sender} → Messaging: A message comes in, Webhook, {url}, HTTP POST.",
        "In a messaging service its Integration counts instead: Defer to sender's webhook, or the same address there.",
    )
    if number is None:
        yield Step(f"Hear what people answer to {sender}", None, enter)
    else:
        done = number.get("sms_url") == url and number.get("sms_method") in (None, "POST")
        yield Step(
            f"Hear what people answer to {sender}",
            done,
            enter,
            f"it leads to {number.get('sms_url') or 'nowhere'}",
        )
    yield opt_out


def _get(settings: Settings, path: str, **query: str) -> Any:
    """What Twilio says of the account, or None."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if not sid or not token:
        return None
    address = f"{settings.twilio_base_url.rstrip('/')}/2010-04-01/Accounts/{sid}{path}"
    try:
        auth = (sid, token.get_secret_value())
        answer = httpx.get(address, params=query, auth=auth, timeout=_PATIENCE, trust_env=False)
        return answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
