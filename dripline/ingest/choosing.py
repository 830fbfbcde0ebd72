"""What a lead chooses for itself: to leave, to come back, to be left in peace. Made so, logged, and told to its runs.

By link, by its page, by a word of SMS or by the provider: whoever learns of it calls `choose`, in the transaction in
which the lead is locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import CHANNELS, Said, changed, wish
from dripline.ingest.agreeing import Source, log_changes, log_pause
from dripline.ingest.merging.agreement import log_repeated_refusals
from dripline.ingest.merging.merge import Times
from dripline.ingest.recording import record
from dripline.store.events import Event
from dripline.store.house import House
from dripline.store.leads import change_lead, facts
from dripline.store.suppressions import forgive


@dataclass(frozen=True)
class Choice:
    """What the lead says; what is not said stays as it is."""

    consent: Mapping[str, bool] = field(default_factory=dict)
    topics: Mapping[str, Said] = field(default_factory=dict)
    pause: bool = False
    """Whether `paused_until` is said."""
    paused_until: datetime | None = None
    """House time; None ends a pause."""


def choose(
    connection: Connection,
    house: House,
    lead: Row[Any],
    choice: Choice,
    source: Source,
    at: Times,
    cause: str,
    channel: str = "email",
    told: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Make it so, where it is not; the names of the lead's fields that are different now.

    The lead is locked. `cause` is an id that nobody else has: the events' ids are made of it. `channel` is the one
    by which it was said. `told` are events that the caller has recorded itself: their names.
    """
    before = facts(lead)
    after: dict[str, Any] = {
        "consent": {**(lead.consent or {}), **choice.consent},
        "topics": changed(lead.topics, choice.topics),
        "paused_until": choice.paused_until if choice.pause else lead.paused_until,
    }
    names = tuple(name for name in after if (before[name] or None) != (after[name] or None))
    for agreed in (name for name, yes in choice.consent.items() if yes):
        address = getattr(lead, ADDRESS[agreed])
        if address:
            forgive(connection, agreed, house.address_hash(agreed, address))
    log_repeated_refusals(connection, lead.id, before, choice.consent, choice.topics, source, at.house)
    if not names:
        return ()
    change_lead(connection, lead.id, {name: after[name] for name in names}, at.house)
    log_changes(connection, lead.id, before, after, source, at.house, cause)
    if "paused_until" in names:
        log_pause(connection, lead.id, after["paused_until"], source, at.house, cause)
    events = [one for one in _told(before, after, channel) if one[0] not in (told or ())]
    for number, (name, properties) in enumerate(events):
        event_id = cause if number == 0 else f"{cause}.{number + 1}"
        record(connection, Event(event_id, lead.id, name, properties, at.house), at.machine)
    event = Event(f"{cause}.updated", lead.id, "lead.updated", {"changed": sorted(names)}, at.house)
    record(connection, event, at.machine)
    return names


def _told(
    before: Mapping[str, Any], after: Mapping[str, Any], channel: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that tell of it, each with its properties: what was left first."""
    for name, agreed in after["consent"].items():
        if agreed is not (before["consent"] or {}).get(name) and agreed is False:
            yield "lead.unsubscribed", {"channel": name}
    topics = dict.fromkeys([*(before["topics"] or {}), *after["topics"]])
    for topic in topics:
        left = [one for one in _differing(before, after, topic) if wish(after["topics"], topic, one) is False]
        if left:
            yield "lead.unsubscribed", {"channel": channel if channel in left else left[0], "topic": topic}
    for name, agreed in after["consent"].items():
        if agreed is True and (before["consent"] or {}).get(name) is not True:
            yield "lead.resubscribed", {"channel": name}
    for topic in topics:
        back = [
            one for one in _differing(before, after, topic) if wish(before["topics"], topic, one) is False
        ]
        if back:
            yield "lead.resubscribed", {"channel": channel if channel in back else back[0], "topic": topic}
    if after["paused_until"] and after["paused_until"] != before["paused_until"]:
        yield "lead.paused", {"until": after["paused_until"].isoformat()}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], topic: str) -> list[str]:
    return [
        one for one in CHANNELS if wish(before["topics"], topic, one) != wish(after["topics"], topic, one)
    ]


__all__ = ["Choice", "Times", "choose"]
