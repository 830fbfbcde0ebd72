"""The providers' accounts: asked a harmless question each, and what to enter at them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from dripline.doctor.findings import Finding, known, mend, well
from dripline.settings import Settings

_PATIENCE = 8.0  # seconds


def examine_sendgrid(settings: Settings) -> Iterator[Finding]:
    """SendGrid's key, by the list of what it may do."""
    if settings.sendgrid_api_key is None:
        yield known(
            "e-mail", "goes to the local mailbox alone", "DRIPLINE_SENDGRID_API_KEY sends it for real"
        )
        return
    address = settings.sendgrid_base_url.rstrip("/") + "/v3/scopes"
    key = settings.sendgrid_api_key.get_secret_value()
    answer = _ask(address, headers={"Authorization": f"Bearer {key}"})
    yield _sendgrid_says(answer, settings.sendgrid_base_url)
    hook = f"{settings.public_url.rstrip('/')}/webhooks/sendgrid"
    if settings.sendgrid_webhook_key:
        yield well("e-mail", f"SendGrid's event webhook is to be sent, signed, to {hook}")
    else:
        cure = (
            "enter it under Mail Settings → Event Webhook, signed; its key is DRIPLINE_SENDGRID_WEBHOOK_KEY"
        )
        yield mend("e-mail", f"without {hook} nobody tells us of bounces and complaints", cure)
    yield _replies(settings, hook)


def _replies(settings: Settings, hook: str) -> Finding:
    """Whether replies to e-mails come to us."""
    verified = settings.sendgrid_inbound_key or settings.sendgrid_inbound_token
    if settings.reply_domain and verified:
        return well("e-mail", f"replies to {settings.reply_domain} are to be handed to {hook}/inbound")
    if settings.reply_domain:
        cure = "set DRIPLINE_SENDGRID_INBOUND_KEY (or _TOKEN), as docs/running.md tells"
        return mend(
            "e-mail", f"replies to {settings.reply_domain} would be refused: nothing verifies them", cure
        )
    cure = "Inbound Parse and DRIPLINE_REPLY_DOMAIN bring them, as docs/running.md tells"
    return known("e-mail", "replies go to the sender's own mailbox, journeys do not hear of them", cure)


def _sendgrid_says(answer: httpx.Response | str, base: str) -> Finding:
    if isinstance(answer, str):
        return mend(
            "e-mail", f"SendGrid does not answer at {base} ({answer})", "look at the network, and the address"
        )
    if answer.status_code in (401, 403):
        return mend(
            "e-mail", "SendGrid does not know the API key, or has blocked it", "make a new key and set it"
        )
    if answer.status_code != 200:
        return known(
            "e-mail", f"SendGrid answered {answer.status_code}: its key could not be tried", "try again later"
        )
    scopes = _json(answer).get("scopes")
    if not isinstance(scopes, list):
        return mend("e-mail", f"what answers at {base} is not SendGrid", "look at DRIPLINE_SENDGRID_BASE_URL")
    if "mail.send" not in scopes:
        return mend("e-mail", "SendGrid's key may not send mail", "give it the permission Mail Send")
    return well("e-mail", "leaves by SendGrid; its key may send")


def examine_twilio(settings: Settings) -> Iterator[Finding]:
    """Twilio's account, by its own description."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if not sid and not token:
        yield known(
            "SMS", "go to the local mailbox alone", "DRIPLINE_TWILIO_ACCOUNT_SID and _AUTH_TOKEN send them"
        )
        return
    if not sid or not token:
        missing = "DRIPLINE_TWILIO_AUTH_TOKEN" if sid else "DRIPLINE_TWILIO_ACCOUNT_SID"
        yield mend("SMS", f"go to the local mailbox: {missing} is missing", f"set {missing}")
        return
    base = settings.twilio_base_url
    address = f"{base.rstrip('/')}/2010-04-01/Accounts/{sid}.json"
    yield _twilio_says(_ask(address, auth=(sid, token.get_secret_value())), base)
    hook = f"{settings.public_url.rstrip('/')}/webhooks/twilio"
    yield well("SMS", f"Twilio is told with each message to report to {hook}; nothing is to be entered")
    yield known(
        "SMS", f"for replies, STOP and HELP, enter {hook}/inbound as the address of incoming messages"
    )


def _twilio_says(answer: httpx.Response | str, base: str) -> Finding:
    if isinstance(answer, str):
        return mend(
            "SMS", f"Twilio does not answer at {base} ({answer})", "look at the network, and the address"
        )
    if answer.status_code in (401, 403):
        return mend(
            "SMS", "Twilio does not know this account and token together", "copy both from its console"
        )
    if answer.status_code == 404:
        return mend("SMS", "Twilio has no such account", "look at DRIPLINE_TWILIO_ACCOUNT_SID")
    if answer.status_code != 200:
        return known(
            "SMS", f"Twilio answered {answer.status_code}: the account could not be tried", "try again later"
        )
    status = _json(answer).get("status")
    if status == "active":
        return well("SMS", "leave by Twilio; the account is active")
    if status in ("suspended", "closed"):
        return mend("SMS", f"Twilio's account is {status}", "ask Twilio's support")
    return mend("SMS", f"what answers at {base} is not Twilio", "look at DRIPLINE_TWILIO_BASE_URL")


def _ask(
    address: str, headers: dict[str, str] | None = None, auth: tuple[str, str] | None = None
) -> httpx.Response | str:
    """The answer, or in a word why there is none."""
    try:
        return httpx.get(address, headers=headers, auth=auth, timeout=_PATIENCE, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
