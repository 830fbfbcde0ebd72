"""Following a link of a message: what it says is recorded once, of the lead that the message went to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import changed as with_topics
from dripline.ingest.agreeing import Source, log_changes
from dripline.ingest.awaiting import awaited
from dripline.ingest.choosing import Choice, Times, choose
from dripline.ingest.reading import coerced_properties
from dripline.ingest.recording import record, record_change
from dripline.ingest.refusal import Refused
from dripline.language.links import AnswerLink, ConfirmLink, SurveyLink, UnsubscribeLink
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.store.events import Event, happened, kept
from dripline.store.house import House
from dripline.store.leads import change_lead, facts, lock_survivor
from dripline.store.schema import messages
from dripline.store.suppressions import forgive

_log = structlog.get_logger(__name__)

_MESSAGE = select(
    messages.c.id,
    messages.c.lead_id,
    messages.c.channel,
    messages.c.topic,
    messages.c.notice,
    messages.c.recipient,
    messages.c.queued_at,
)
_LEAVING = ("lead.unsubscribed", "lead.updated")
"""Events that tell of consent taken back."""


def follow(
    connection: Connection,
    workspace: Workspace,
    house: House,
    claim: Claim,
    times: Callable[[], Times],
    everything: bool = False,
) -> bool:
    """Do what the link says, in the caller's transaction; whether what it says is so now.

    False where the link has outlived what it was for: the lead was erased, its address is another, the
    workspace has no such event any more, the store does not know the message. Then nothing is changed. Of an
    erased lead it is true that it is unsubscribed. `everything`: from the channel, not from the topic alone.
    """
    message: Any = connection.execute(_MESSAGE.where(messages.c.id == claim.message)).one_or_none()
    lead = lock_survivor(connection, message.lead_id) if message is not None else None
    if message is None or lead is None or message.notice:
        return False
    if lead.erased_at is not None:
        return isinstance(claim.link, UnsubscribeLink)
    now = times()
    if isinstance(claim.link, SurveyLink):
        return False  # its page knows what to do with it
    if isinstance(claim.link, AnswerLink):
        return _answer(connection, workspace, claim, claim.link, lead, now)
    if isinstance(claim.link, ConfirmLink):
        return _confirm(connection, house, claim, message, lead, now)
    _unsubscribe(connection, house, claim, message, lead, now, everything)
    return True


def _answer(
    connection: Connection, workspace: Workspace, claim: Claim, link: AnswerLink, lead: Row[Any], now: Times
) -> bool:
    try:
        properties = coerced_properties(link.event, link.properties, workspace)
    except Refused:
        _log.warning("a link says what the workspace no longer declares", message=claim.message)
        return False
    record(connection, Event(claim.id, lead.id, link.event, properties, now.house), now.machine)
    return True


def _confirm(
    connection: Connection, house: House, claim: Claim, message: Any, lead: Row[Any], now: Times
) -> bool:
    """Consent is the address's, not the lead's: it must still be the one that the message went to.

    And no link is a way back in for who has left since its message was written.
    """
    channel = message.channel
    address = getattr(lead, ADDRESS[channel])
    if not address or message.recipient is None or address.casefold() != message.recipient.casefold():
        return False
    if kept(connection, claim.id) is not None:
        return bool(lead.consent.get(channel))
    if lead.consent.get(channel) is False and _has_left_since(connection, message, lead):
        return False
    forgive(connection, channel, house.address_hash(channel, address))
    wanted = awaited(connection, lead.id, channel)
    topics = with_topics(lead.topics, {topic: {channel: True} for topic in wanted.topics})
    after = {"consent": {**lead.consent, channel: True}, "topics": topics}
    changed = [field for field in ("consent", "topics") if after[field] != getattr(lead, field)]
    if changed:
        change_lead(connection, lead.id, after, now.house)
    source = Source("link", {"message": message.id, **wanted.proof})
    log_changes(connection, lead.id, facts(lead), after, source, now.house, claim.id, [channel])
    said = {"channel": channel, "message": message.id}
    record(connection, Event(claim.id, lead.id, "lead.confirmed", said, now.house), now.machine)
    if changed:
        record_change(connection, claim.id, lead.id, changed, now.house, now.machine)
    return True


def _has_left_since(connection: Connection, message: Any, lead: Row[Any]) -> bool:
    """Whether consent that is refused now was taken back, or changed at all, after the message."""
    for name, said in happened(connection, {lead.id, message.lead_id}, _LEAVING, message.queued_at):
        if name == "lead.updated" and "consent" in said.get("changed", ()):
            return True
        if name == "lead.unsubscribed" and said.get("channel") == message.channel and "topic" not in said:
            return True
    return False


def _unsubscribe(
    connection: Connection,
    house: House,
    claim: Claim,
    message: Any,
    lead: Row[Any],
    now: Times,
    everything: bool,
) -> None:
    channel: str = message.channel
    topic: str | None = None if everything else message.topic
    # The page says "no more messages of this kind": the same by another way would break that promise.
    choice = Choice(topics={topic: False}) if topic else Choice(consent={channel: False})
    # Who has come back meanwhile may leave again by the same link: that is another event.
    name = hashlib.sha256((topic or channel).encode()).hexdigest()[:8]
    event_id = _unused(connection, f"{claim.id}-{name}")
    source = Source("link", {"message": message.id})
    choose(connection, house, lead, choice, source, now, event_id, channel)


def _unused(connection: Connection, event_id: str) -> str:
    number, candidate = 1, event_id
    while kept(connection, candidate) is not None:
        number += 1
        candidate = f"{event_id}-{number}"
    return candidate


__all__ = ["Times", "follow"]
