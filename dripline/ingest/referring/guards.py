"""Who may not be brought as a friend, and why. Pure: what has to be known is looked up by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Reason = Literal["self", "loop", "customer", "device", "network", "shared"]
"""It is the referrer under another address; it brought the referrer, or who brought that one; it is a customer already;
it came by a device, or a network, of the referrer or of other friends; it shares what friends do not share."""

_OF_THE_REFERRER = ("self", "limit", "returned")
"""Reasons that say nothing of the friend but what its referrer has been told."""

_DOTS_MEAN_NOTHING = ("gmail.com", "googlemail.com")


@dataclass(frozen=True)
class Meeting:
    """What is known when somebody comes by another's code."""

    referrer: Mapping[str, Any]
    """The lead as conditions see it, and so the friend."""
    friend: Mapping[str, Any]
    is_above: bool = False
    """Whether the friend brought the referrer, or who brought that one, and so on."""
    has_bought: bool = False
    """Whether the friend has an order from before."""
    same_device: bool = False
    """Whether the device is the referrer's own, or that of another of its friends."""
    own_network: bool = False
    """Whether the referrer itself came from the friend's network."""
    from_network: int = 0
    """How many friends of the referrer came from the same network."""
    per_network: int = 2
    differ: tuple[str, ...] = field(default=())
    """Attributes that the two must not share."""


def reason_against(meeting: Meeting) -> Reason | None:
    """Why the friend does not count, or None."""
    one, other = meeting.referrer, meeting.friend
    if one.get("email") and mailbox_of(one["email"]) == mailbox_of(other.get("email") or ""):
        return "self"
    if meeting.is_above:
        return "loop"
    if meeting.has_bought or other.get("stage") == "customer":
        return "customer"
    if meeting.same_device:
        return "device"
    if meeting.own_network or meeting.from_network >= meeting.per_network:
        return "network"
    shared = (
        _plain(one.get(name)) for name in meeting.differ if _plain(one.get(name)) == _plain(other.get(name))
    )
    return "shared" if any(shared) else None


def told_to_referrer(reason: str | None) -> str | None:
    """Why a friend does not count, as its referrer may read it.

    That somebody has bought before, or uses whose device, is the friend's own; so is what a colleague wrote of it.
    All these are one word, `rules`, since what is told apart can be guessed.
    """
    return reason if reason is None or reason in _OF_THE_REFERRER else "rules"


def mailbox_of(address: str) -> str:
    """The mailbox behind an address: `ani+shop@example.com` is Ani's (RFC 5233), and Gmail sees no dots."""
    local, _, domain = address.strip().lower().rpartition("@")
    local = local.split("+")[0]
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", ""), _DOTS_MEAN_NOTHING[0]
    return f"{local}@{domain}"


def _plain(value: Any) -> str:
    return "".join(letter for letter in str(value).casefold() if letter.isalnum()) if value else ""
