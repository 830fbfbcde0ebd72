"""The send-time policy: may this message go to this lead now? One place, and it says why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.topics import has_left
from dripline.language.durations import say_duration
from dripline.language.plan import Channel, Limit, MessageStep
from dripline.language.role_addresses import is_role_address

ADDRESS = {"email": "email", "sms": "phone"}
"""The lead's field that a channel needs."""

NAMES = {"email": "e-mail address", "sms": "phone number"}


class Refusal(str):
    """Why a lead may not be sent a message at all, whatever the time."""

    __slots__ = ()


EXPIRED = "expired"
"""Why a message is left out that would come later than it may."""


ROLE_ADDRESS = "role address"
"""Why an address like `info@…` gets no marketing: nobody in person has agreed."""


def refusal(
    channel: Channel | str,
    topic: str | None,
    transactional: bool,
    lead: Mapping[str, Any],
    suppressed: str | None,
    at: datetime,
    to_roles: bool = False,
) -> Refusal | None:
    """Why the lead may not be sent this at that moment; None if it may. docs/language.md has the table.

    `suppressed` is the reason for which its address is on the suppression list, `to_roles` whether marketing may go
    to addresses of roles. A transactional message needs no consent and no topic, but it never goes to an address
    that does not exist.
    """
    address = lead.get(ADDRESS[channel])
    if not address:
        return Refusal(f"no {NAMES[channel]}")
    if suppressed and (not transactional or suppressed == "bounced"):
        return Refusal(f"suppressed: {suppressed}")
    if transactional:
        return None
    if not (lead.get("consent") or {}).get(channel):
        return Refusal(f"no consent for {channel}")
    if topic and has_left(lead.get("topics"), topic, channel):
        return Refusal(f"left the topic {topic}")
    paused_until = lead.get("paused_until")
    if paused_until and at < paused_until:
        return Refusal(f"paused until {paused_until:%Y-%m-%d}")
    if channel == "email" and not to_roles and is_role_address(address):
        return Refusal(ROLE_ADDRESS)
    return None


def over_limit(step: MessageStep, sent: int) -> str | None:
    """Why the frequency cap refuses the message, `sent` having been counted within its period."""
    if step.limit is None or step.transactional or sent < step.limit.count:
        return None
    return f"limit of {step.limit.count} per {say_duration(step.limit.per)}"


def spacing(throttle: Limit) -> timedelta:
    """How far apart a throttle keeps messages: 500 per hour is one every 7.2 seconds. A month counts 30 days."""
    per = throttle.per
    return timedelta(days=per.months * 30 + per.days, seconds=per.seconds) / throttle.count
