"""The local mailbox: where messages go that have no account to go by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from dripline.clock import MachineClock, machine_clock
from dripline.providers import Accepted, NotAccepted, Outgoing, PermanentFailure, Uncertain
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.store.schema import mailbox

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
        }
        # The database's own errors quote the message: nothing of them may get out.
        try:
            with self._store.write() as connection:
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
