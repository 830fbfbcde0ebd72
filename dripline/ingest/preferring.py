"""The lead's own page: what it gets by which channel, and what it chooses instead.

The link shows that whoever has it reads what comes to the message's address. So it may always say no, by every channel
and also after the address was changed; a yes is only taken for that channel, and only while that is the lead's address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import CHANNELS, has_left, wish
from dripline.ingest.agreeing import Source, log_changes
from dripline.ingest.choosing import Choice, Times, choose
from dripline.ingest.recording import record_change
from dripline.language.links import PreferencesLink
from dripline.language.tracking import is_tracked
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.store.events import kept
from dripline.store.house import House
from dripline.store.leads import change_lead, lock_survivor, read_lead
from dripline.store.schema import messages

PAUSE = timedelta(days=30)
"""How long a lead that asks for it is left in peace."""

EVERYTHING = ""
"""In the place of a topic, where the workspace has none: whatever comes by the channel."""

Pressed = Literal["save", "leave", "pause", "resume", "track", "untrack"]

Tick = tuple[str, str]
"""A channel, and a topic that is wanted there."""

_MESSAGE = select(
    messages.c.id, messages.c.lead_id, messages.c.channel, messages.c.recipient, messages.c.notice
)


@dataclass(frozen=True)
class Wish:
    """What was pressed, and what was ticked then."""

    do: Pressed
    ticks: frozenset[Tick] = frozenset()


@dataclass(frozen=True)
class Preferences:
    """What the page shows."""

    channels: tuple[str, ...]
    """By which the lead can be reached."""
    may_join: frozenset[str]
    """Of those, on which this link may say yes."""
    topics: tuple[str, ...]
    ticks: frozenset[Tick]
    """What the lead gets now."""
    paused_until: datetime | None
    tracked: bool | None = None
    """Whether it is kept what the lead opens and clicks; None where the workspace keeps nothing of anybody."""


def read_preferences(
    connection: Connection, workspace: Workspace, claim: Claim, now: datetime
) -> Preferences | None:
    """What the lead of the link gets and may choose at that moment (house time); None where there is none."""
    message = _message(connection, claim)
    lead = read_lead(connection, message.lead_id) if message is not None else None
    if message is None or lead is None or lead.erased_at is not None:
        return None
    return _preferences(workspace, message, lead, now)


def prefer(
    connection: Connection,
    workspace: Workspace,
    house: House,
    claim: Claim,
    times: Callable[[], Times],
    wanted: Wish,
) -> Preferences | None:
    """Do what was pressed, in the caller's transaction, as far as the link may; what the lead gets then."""
    message = _message(connection, claim)
    lead = lock_survivor(connection, message.lead_id) if message is not None else None
    if message is None or lead is None or lead.erased_at is not None:
        return None
    at = times()
    before = _preferences(workspace, message, lead, at.house)
    choice = _choice(wanted, before, lead, at.house)
    cause = _unused(connection, f"{claim.id}-{hashlib.sha256(repr(choice).encode()).hexdigest()[:8]}")
    source = Source("page", {"message": message.id})
    if wanted.do in ("track", "untrack"):
        return _track(connection, workspace, message, lead, wanted.do == "track", source, at, cause)
    choose(connection, house, lead, choice, source, at, cause, message.channel)
    after = read_lead(connection, lead.id)
    return _preferences(workspace, message, after, at.house) if after is not None else None


def _track(
    connection: Connection,
    workspace: Workspace,
    message: Any,
    lead: Row[Any],
    agreed: bool,
    source: Source,
    at: Times,
    cause: str,
) -> Preferences | None:
    """Keep what the lead says of being tracked."""
    if lead.tracking is not agreed:
        change_lead(connection, lead.id, {"tracking": agreed}, at.house)
        before = {"tracking": lead.tracking}
        log_changes(connection, lead.id, before, {"tracking": agreed}, source, at.house, cause)
        record_change(connection, cause, lead.id, "tracking", at.house, at.machine)
    after = read_lead(connection, lead.id)
    return _preferences(workspace, message, after, at.house) if after is not None else None


def _tracked(workspace: Workspace, lead: Row[Any]) -> bool | None:
    rules = workspace.tracking
    kept_at_all = [rule for rule in (rules.clicks, rules.opens, rules.sms) if rule] if rules else []
    return any(is_tracked(rule, lead.tracking) for rule in kept_at_all) if kept_at_all else None


def _message(connection: Connection, claim: Claim) -> Any:
    row = connection.execute(_MESSAGE.where(messages.c.id == claim.message)).one_or_none()
    return None if row is None or row.notice or not isinstance(claim.link, PreferencesLink) else row


def _preferences(workspace: Workspace, message: Any, lead: Row[Any], now: datetime) -> Preferences:
    channels = tuple(channel for channel in CHANNELS if getattr(lead, ADDRESS[channel]))
    topics = tuple(workspace.topics) or (EVERYTHING,)
    ticks = {
        (channel, topic)
        for channel in channels
        for topic in topics
        if lead.consent.get(channel) and not has_left(lead.topics, topic, channel)
    }
    paused = lead.paused_until if lead.paused_until is not None and lead.paused_until > now else None
    tracked = _tracked(workspace, lead)
    return Preferences(channels, _may_join(message, lead), topics, frozenset(ticks), paused, tracked)


def _may_join(message: Any, lead: Row[Any]) -> frozenset[str]:
    address = getattr(lead, ADDRESS[message.channel])
    same = address and message.recipient and address.casefold() == message.recipient.casefold()
    return frozenset({message.channel}) if same else frozenset()


def _choice(wanted: Wish, now: Preferences, lead: Row[Any], at: datetime) -> Choice:
    if wanted.do == "pause":
        return Choice(pause=True, paused_until=max(at + PAUSE, lead.paused_until or at))
    if wanted.do == "resume":
        return Choice(pause=True)
    if wanted.do == "leave":
        return Choice(consent=dict.fromkeys(CHANNELS, False))
    consent: dict[str, bool] = {}
    topics: dict[str, dict[str, bool | None]] = {}
    for channel in now.channels:
        before = {topic for one, topic in now.ticks if one == channel}
        after = {topic for one, topic in wanted.ticks if one == channel and topic in now.topics}
        if channel not in now.may_join:
            after &= before
        if after == before:
            continue
        if not after:
            consent[channel] = False
            continue
        if not lead.consent.get(channel):
            consent[channel] = True
        for topic in set(now.topics) - {EVERYTHING}:
            if topic in after and wish(lead.topics, topic, channel) is False:
                topics.setdefault(topic, {})[channel] = True
            elif topic not in after and not has_left(lead.topics, topic, channel):
                topics.setdefault(topic, {})[channel] = False
    said: Mapping[str, Any] = topics
    return Choice(consent=consent, topics=said)


def _unused(connection: Connection, event_id: str) -> str:
    number, candidate = 1, event_id
    while kept(connection, candidate) is not None or kept(connection, f"{candidate}.updated") is not None:
        number += 1
        candidate = f"{event_id}-{number}"
    return candidate
