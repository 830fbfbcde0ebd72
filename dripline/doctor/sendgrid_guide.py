"""SendGrid from nothing. What its API tells is only read (https://www.twilio.com/docs/sendgrid/api-reference)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from dripline.doctor.guides import Step, hook, production, reached, senders
from dripline.language.workspace import Workspace
from dripline.settings import Settings

_PATIENCE = 8.0  # seconds
_EVENTS = (
    "processed",
    "deferred",
    "delivered",
    "dropped",
    "bounce",
    "open",
    "click",
    "spam_report",
    "unsubscribe",
    "group_unsubscribe",
)


def sendgrid_steps(settings: Settings, workspace: Workspace | None) -> Iterator[Step]:
    """What is to be done, in this order."""
    look = _Look(settings)
    yield Step(
        "Have an account",
        True if look.scopes is not None else None,
        ("Make one at https://sendgrid.com, and switch two-factor authentication on.",),
    )
    yield reached(settings, "SendGrid")
    yield _key(settings, look)
    yield _sender(workspace)
    for domain in sorted({address.partition("@")[2] for address in senders(workspace, of_mail=True)}):
        yield _domain(domain, look)
        yield Step(
            f"Say by DMARC what becomes of forged mail of {domain}",
            None,
            (
                f'Give _dmarc.{domain} a TXT record: "v=DMARC1; p=none; rua=mailto:dmarc@{domain}".',
                "Gmail and Yahoo ask it of who sends much.",
                "When the reports show your own mail alone, make it p=quarantine.",
            ),
        )
    yield _webhook(settings, look)
    yield _tracking(look)
    yield _inbound(settings, look)
    yield production(settings)


class _Look:
    """What SendGrid tells of the account, as far as the key may see it."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.sendgrid_base_url.rstrip("/")
        self._key = settings.sendgrid_api_key.get_secret_value() if settings.sendgrid_api_key else None
        scopes = self._get("/v3/scopes")
        said = scopes.get("scopes") if isinstance(scopes, dict) else None
        self.scopes: list[str] | None = said if isinstance(said, list) else None
        known = self.scopes is not None
        self.domains = _rows(self._get("/v3/whitelabel/domains") if known else None, None)
        self.webhooks = _rows(
            self._get("/v3/user/webhooks/event/settings/all") if known else None, "webhooks"
        )
        self.tracking = _rows(self._get("/v3/tracking_settings") if known else None, "result")
        self.inbound = _rows(self._get("/v3/user/webhooks/parse/settings") if known else None, "result")

    def _get(self, path: str) -> Any:
        """The answer; None where there is none, or the key may not see it."""
        if self._key is None:
            return None
        try:
            headers = {"Authorization": f"Bearer {self._key}"}
            answer = httpx.get(self._base + path, headers=headers, timeout=_PATIENCE, trust_env=False)
            return answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None


def _rows(said: Any, name: str | None) -> list[dict[str, Any]] | None:
    rows = said.get(name) if isinstance(said, dict) and name else said
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _key(settings: Settings, look: _Look) -> Step:
    seen = "DRIPLINE_SENDGRID_API_KEY is not set"
    if settings.sendgrid_api_key is not None:
        seen = f"{settings.sendgrid_base_url} does not answer, or does not know the key"
    if look.scopes is not None:
        seen = "the key may send mail" if "mail.send" in look.scopes else "the key may not send mail"
    return Step(
        "Make an API key",
        look.scopes is not None and "mail.send" in look.scopes,
        (
            "Settings → API Keys → Create: Restricted Access, with Mail Send (full). For the ticks on this page also,",
            "to read: Sender Authentication, Mail Settings, Tracking, User Account, Inbound Parse.",
            "Set DRIPLINE_SENDGRID_API_KEY to it, and start the worker again.",
        ),
        seen,
    )


def _sender(workspace: Workspace | None) -> Step:
    found = senders(workspace, of_mail=True)
    return Step(
        "Say whom e-mails are from",
        bool(found),
        ("In dripline.yaml: `senders: {email: {address: hello@YOUR-DOMAIN, name: YOUR NAME}}`.",),
        ", ".join(found),
    )


def _domain(domain: str, look: _Look) -> Step:
    """SPF and DKIM, by the records that SendGrid asks for."""
    how = [
        f"Settings → Sender Authentication → Authenticate Your Domain: {domain}, with automated security.",
        "It shows three CNAME records, which are SPF and DKIM; give them to the domain, and press Verify.",
    ]
    if look.domains is None:
        return Step(f"Show that {domain} is yours", None, tuple(how))
    matching = [one for one in look.domains if _is_for(domain, one.get("domain"))]
    done = any(one.get("valid") is True for one in matching)
    seen = f"SendGrid has verified {domain}" if done else f"SendGrid has not verified {domain}"
    if matching and not done:
        how += [f"Still asked for: {record}" for record in _missing(matching[0])]
    return Step(f"Show that {domain} is yours", done, tuple(how), seen)


def _is_for(domain: str, verified: object) -> bool:
    """Whether mail from the domain is signed as that: it, or a part of it."""
    return isinstance(verified, str) and (domain == verified or domain.endswith(f".{verified}"))


def _missing(domain: dict[str, Any]) -> Iterator[str]:
    records = domain.get("dns")
    for record in records.values() if isinstance(records, dict) else ():
        if isinstance(record, dict) and record.get("valid") is not True:
            yield f"{record.get('host')}  {str(record.get('type')).upper()}  {record.get('data')}"


def _webhook(settings: Settings, look: _Look) -> Step:
    url = hook(settings, "/webhooks/sendgrid")
    how = (
        f"Settings → Mail Settings → Event Webhooks → Create: {url}",
        "Tick all deliverability and engagement events, and Enable Signed Event Webhook.",
        "Set DRIPLINE_SENDGRID_WEBHOOK_KEY to the verification key that it shows, and start the web process again.",
    )
    title, key = "Let SendGrid tell us what becomes of mails", settings.sendgrid_webhook_key
    if not key:
        return Step(title, False, how, "DRIPLINE_SENDGRID_WEBHOOK_KEY is not set")
    if look.webhooks is None:
        return Step(title, None, how, "the key is set; the webhook itself cannot be seen from here")
    ours = [one for one in look.webhooks if one.get("url") == url]
    if not ours:
        return Step(title, False, how, f"no webhook leads to {url}")
    one = ours[0]
    missing = [name for name in _EVENTS if one.get(name) is False]
    if not one.get("enabled"):
        return Step(title, False, how, "it is switched off")
    if missing:
        return Step(title, False, how, f"these events are not ticked: {', '.join(missing)}")
    if one.get("public_key") not in (None, key):
        return Step(title, False, how, "DRIPLINE_SENDGRID_WEBHOOK_KEY is another key than this webhook's")
    signed = one.get("public_key") == key
    return Step(
        title,
        True if signed else None,
        how,
        "signed, with our key" if signed else "whether it is signed is not told",
    )


def _tracking(look: _Look) -> Step:
    """SendGrid's own unsubscribe footer would stand beside ours, and its pixels beside ours."""
    how = (
        "Settings → Tracking: switch Subscription Tracking off (mails carry our own way to unsubscribe), and Click and",
        "Open Tracking too: `tracking` in dripline.yaml does it on your own domain, if you want it.",
    )
    title = "Switch SendGrid's own tracking off"
    if look.tracking is None:
        return Step(title, None, how)
    on = [
        str(one.get("name"))
        for one in look.tracking
        if one.get("enabled") is True and one.get("name") in ("subscription", "click", "open")
    ]
    return Step(title, not on, how, f"on: {', '.join(on)}" if on else "all of it is off")


def _inbound(settings: Settings, look: _Look) -> Step:
    url = hook(settings, "/webhooks/sendgrid/inbound")
    how = (
        "Give a part of a domain that is for replies alone (reply.YOUR-DOMAIN) the record MX 10 mx.sendgrid.net.",
        f"Settings → Inbound Parse → Add Host & URL: that domain, and {url}",
        "Make a security policy with a signature and attach it: DRIPLINE_SENDGRID_INBOUND_KEY is its public key.",
        "Where there is none: set DRIPLINE_SENDGRID_INBOUND_TOKEN to a long secret, and add /THE-SECRET to the URL.",
        "Set DRIPLINE_REPLY_DOMAIN to that domain, and start the worker and the web process again.",
    )
    title, domain = "Hear what people answer", settings.reply_domain
    verified = settings.sendgrid_inbound_key or settings.sendgrid_inbound_token
    if not domain or not verified:
        lacks = "DRIPLINE_REPLY_DOMAIN" if not domain else "DRIPLINE_SENDGRID_INBOUND_KEY or _TOKEN"
        return Step(title, False, how, f"{lacks} is not set", wanted=bool(domain))
    if look.inbound is None:
        return Step(title, None, how, wanted=False)
    here = [one for one in look.inbound if one.get("hostname") == domain]
    done = any(str(one.get("url")).startswith(url) for one in here)
    return Step(title, done, how, f"{domain} leads {'to us' if done else 'elsewhere, or nowhere'}")
