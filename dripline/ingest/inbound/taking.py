"""A message that came in: kept once, matched to its lead and to what it answers, and done as it says.

It never makes a lead: whoever we do not know is kept without one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import changed as with_topics
from dripline.ingest.agreeing import Source, log_changes
from dripline.ingest.inbound.keywords import Intent, agrees
from dripline.ingest.recording import record, record_change
from dripline.ingest.surveys.replying import answer_by_reply
from dripline.store.database import insert_into
from dripline.store.events import Event
from dripline.store.house import House
from dripline.store.leads import change_lead, facts, identity_of, lock_survivor, owners, survivor_id
from dripline.store.schema import inbound, messages
from dripline.store.suppressions import UNSUBSCRIBED, forgive, suppress, suppressed_by

MOST_LETTERS = 10_000
"""Characters of a message that are kept."""
MOST_IN_EVENT = 2_000
"""Characters of it that its event has."""

_ANSWERED = select(messages.c.id, messages.c.lead_id, messages.c.topic, messages.c.channel, messages.c.notice)


@dataclass(frozen=True)
class Came:
    """A message as it came in, put into our words."""

    id: str
    """The provider's: a repeat changes nothing."""
    channel: str
    sender: str
    """An e-mail address, or a number in E.164."""
    text: str
    intent: Intent
    recipient: str | None = None
    subject: str | None = None
    answers: str | None = None
    """The id of our message that it surely answers: it was sent to an address of that message alone."""
    trusted: bool = True
    """Whether it surely comes from its sender. What does not, and answers nothing of ours, does nothing; what does
    answer something is its lead's, and says nothing of the address that it names as its sender's."""
    topic_only: bool = False
    """Of a `stop`: to leave the topic of the message that it answers, and not the channel."""


@dataclass(frozen=True)
class Taken:
    """What became of it."""

    new: bool
    intent: Intent
    locale: str | None = None
    """Of the lead."""


def take(connection: Connection, house: House, came: Came, now: datetime, machine_now: datetime) -> Taken:
    """Keep the message and do what it says, in the caller's transaction. `now` is house time."""
    lead = _lead(connection, came)
    locale = lead.locale if lead is not None else None
    address = house.address_hash(came.channel, came.sender)
    left = suppressed_by(connection, came.channel, address) == UNSUBSCRIBED
    if came.intent == "reply" and agrees(came.text) and left and came.trusted:
        came = replace(came, intent="start")
    answered = _answered(connection, came, lead)
    if not _keep(connection, came, lead, answered, now):
        return Taken(False, came.intent, locale)
    if not came.trusted and came.answers is None:
        return Taken(True, came.intent, locale)
    desk = _Desk(connection, house, came, answered.id if answered else None, now, machine_now)
    if came.intent == "stop":
        desk.stop(lead, address, answered.topic if answered is not None and came.topic_only else None)
    elif came.intent == "start":
        desk.start(lead, address)
    elif came.intent == "reply" and lead is not None:
        desk.reply(lead)
    return Taken(True, came.intent, locale)


class _Desk:
    def __init__(
        self,
        connection: Connection,
        house: House,
        came: Came,
        answered: str | None,
        now: datetime,
        machine_now: datetime,
    ) -> None:
        self._connection, self._house, self._came = connection, house, came
        self._answered, self._now, self._machine_now = answered, now, machine_now

    def stop(self, lead: Row[Any] | None, address: str, topic: str | None) -> None:
        """Write there no more; of a `topic`, only that one is left."""
        channel = self._came.channel
        if topic is None and self._came.trusted:
            suppress(self._connection, channel, address, UNSUBSCRIBED, self._now)
        if lead is None:
            return
        if (
            topic is None and not self._came.trusted
        ):  # whom it names may be anybody: only the lead's own is left
            ours = getattr(lead, ADDRESS[channel])
            if ours:
                own = self._house.address_hash(channel, ours)
                suppress(self._connection, channel, own, UNSUBSCRIBED, self._now)
        if topic is None:
            after = {"consent": {**lead.consent, channel: False}, "topics": lead.topics}
        else:
            after = {"consent": lead.consent, "topics": with_topics(lead.topics, {topic: False})}
        self._changed(lead, after, "lead.unsubscribed", {"topic": topic} if topic else {})

    def start(self, lead: Row[Any] | None, address: str) -> None:
        """Write there again, unless it was given up for another reason than this person's wish."""
        channel = self._came.channel
        forgive(self._connection, channel, address)
        if lead is None or suppressed_by(self._connection, channel, address) is not None:
            return
        ours = getattr(lead, ADDRESS[channel])
        if not ours or self._house.address_hash(channel, ours) != address:
            return  # who agrees by one of its addresses has not agreed to messages to another
        after = {"consent": {**lead.consent, channel: True}, "topics": lead.topics}
        self._changed(lead, after, "lead.resubscribed", {})

    def reply(self, lead: Row[Any]) -> None:
        """Tell the lead's runs what it wrote."""
        said = {"channel": self._came.channel, "text": self._came.text[:MOST_IN_EVENT]}
        if self._answered:
            said["message"] = self._answered
        event = Event(f"{self._came.id}.replied", lead.id, "lead.replied", said, self._now)
        record(self._connection, event, self._machine_now)
        if self._came.channel == "sms":
            answer_by_reply(self._connection, lead.id, self._came.text, self._now, self._machine_now)

    def _changed(self, lead: Row[Any], after: dict[str, Any], name: str, more: dict[str, Any]) -> None:
        fields = [field for field in ("consent", "topics") if after[field] != getattr(lead, field)]
        event_id = f"{self._came.id}.{self._came.intent}"
        said = self._came.text.strip()[:100]
        kind = "sms" if self._came.channel == "sms" else "email"
        source = Source(kind, {"inbound": self._came.id, "said": said})
        before = facts(lead)
        channel = self._came.channel
        if fields:
            change_lead(self._connection, lead.id, {field: after[field] for field in fields}, self._now)
        log_changes(self._connection, lead.id, before, after, source, self._now, event_id, [channel])
        event = Event(event_id, lead.id, name, {"channel": channel, **more}, self._now)
        record(self._connection, event, self._machine_now)
        if fields:
            record_change(self._connection, event_id, lead.id, fields, self._now, self._machine_now)


def _lead(connection: Connection, came: Came) -> Row[Any] | None:
    """Whose message it is, locked: of the message that it surely answers, else of the sender's address."""
    lead_id = None
    if came.answers:
        query = select(messages.c.lead_id).where(messages.c.id == came.answers, messages.c.notice.is_(False))
        lead_id = connection.execute(query).scalar_one_or_none()
    if lead_id is None and came.trusted:
        identity = identity_of(ADDRESS[came.channel], came.sender)
        lead_id = owners(connection, [identity]).get(identity)
    lead = lock_survivor(connection, lead_id) if lead_id is not None else None
    return lead if lead is not None and lead.erased_at is None else None


def _answered(connection: Connection, came: Came, lead: Row[Any] | None) -> Any:
    """The message that it answers: the one whose address it was sent to, else the last one to its sender."""
    if lead is None:
        return None
    if came.answers:
        return connection.execute(_ANSWERED.where(messages.c.id == came.answers)).one_or_none()
    last = (
        _ANSWERED.where(
            messages.c.recipient.in_({came.sender, came.sender.lower()}),
            messages.c.channel == came.channel,
            messages.c.notice.is_(False),
            or_(messages.c.accepted_at.is_not(None), messages.c.uncertain_at.is_not(None)),
        )
        .order_by(messages.c.attempted_at.desc())
        .limit(1)
    )
    found = connection.execute(last).one_or_none()
    return found if found is not None and survivor_id(connection, found.lead_id) == lead.id else None


def _keep(connection: Connection, came: Came, lead: Row[Any] | None, answered: Any, now: datetime) -> bool:
    row = {
        "id": came.id,
        "channel": came.channel,
        "lead_id": lead.id if lead is not None else None,
        "message_id": answered.id if answered is not None else None,
        "sender": came.sender[:320],
        "recipient": came.recipient[:320] if came.recipient else None,
        "subject": came.subject[:500] if came.subject else None,
        "body": came.text[:MOST_LETTERS],
        "intent": came.intent,
        "at": now,
    }
    statement = insert_into(connection, inbound).values(row).on_conflict_do_nothing()
    return connection.execute(statement.returning(inbound.c.id)).one_or_none() is not None
