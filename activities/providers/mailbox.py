"""The local mailbox: where messages go that have no account to go by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from dripline.clock import MachineClock, machine_clock
from dripline.providers import Accepted, NotAccepted, Outgoing, PermanentFailure, Uncertain
from dripline.store.database import UNAVAILABLE, Store, lock_lead
from dripline.store.house import open_house
from dripline.store.schema import mailbox, messages

_KEEP = {
    "sqlite": sqlite.insert(mailbox).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(mailbox).on_conflict_do_nothing(),
}


class Mailbox:
    """The mailbox as a provider of one channel. Its times are house time.

    A message is kept by its key, so a repeated send changes nothing and no send is ever uncertain.
    """

    name = "mailbox"
    repeatable = True

    def __init__(self, store: Store, channel: str, clock: MachineClock = machine_clock) -> None:
        self._store, self.channel, self._clock = store, channel, clock

    def send(self, message: Outgoing) -> Accepted:
        """Keep the message, unless its key is there already."""
        kept = {
            "key": message.key,
            "channel": message.channel,
            "recipient": message.to,
            "sender": message.sender,
            "sender_name": message.sender_name,
            "subject": message.subject,
            "html": message.html,
            "body": message.text,
            "headers": message.headers(),
        }
        # The database's own errors quote the message: nothing of them may get out.
        try:
            with self._store.write() as connection:
                if _is_erased(connection, message.key):
                    return Accepted(message.key)
                at = open_house(connection).clock.to_house(self._clock())
                connection.execute(_KEEP[connection.dialect.name], {**kept, "at": at})
        except UNAVAILABLE:
            raise NotAccepted("mailbox.unavailable") from None
        except DBAPIError:
            raise PermanentFailure("mailbox.refused") from None
        return Accepted(message.key)

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        """The key, if the message is there."""
        try:
            with self._store.read() as connection:
                found: str | None = connection.scalar(
                    select(mailbox.c.key).where(mailbox.c.key == message.key)
                )
        except UNAVAILABLE:
            raise Uncertain("mailbox.unavailable") from None
        return found


def _is_erased(connection: Connection, key: str) -> bool:
    """Whether the message's lead was erased while it was on its way: then no copy is kept. Locks the lead."""
    lead_id = connection.scalar(select(messages.c.lead_id).where(messages.c.id == key))
    lead = lock_lead(connection, lead_id) if lead_id is not None else None
    return lead is not None and lead.erased_at is not None
