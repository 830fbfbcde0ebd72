"""How the two accounts are set up, as the providers' own APIs tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCOPES, DOMAINS = "/v3/scopes", "/v3/whitelabel/domains"
WEBHOOKS = "/v3/user/webhooks/event/settings/all"
TRACKING, INBOUND = "/v3/tracking_settings", "/v3/user/webhooks/parse/settings"
SENDGRID = (SCOPES, DOMAINS, WEBHOOKS, TRACKING, INBOUND)


@dataclass
class Setup:
    """By its address, what SendGrid says (nothing: the key may not see it), and what Twilio says."""

    sendgrid: dict[str, Any] = field(default_factory=lambda: {SCOPES: {"scopes": ["mail.send"]}})
    account: dict[str, Any] = field(default_factory=lambda: {"status": "active", "type": "Full"})
    numbers: list[dict[str, Any]] = field(default_factory=list)
