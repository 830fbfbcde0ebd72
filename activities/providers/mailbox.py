"""The local mailbox: where messages go that have no account to go by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from dripline.providers import Accepted, NotAccepted, Outgoing, PermanentFailure, Uncertain
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.schema import mailbox

_KEEP = {
    "sqlite": sqlite.insert(mailbox).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(mailbox).on_conflict_do_nothing(),
}


class Mailbox:
    """The mailbox as a provider of one channel. `clock` tells house time.

    A message is kept by its key, so a repeated send changes nothing and no send is ever uncertain.
    """

    name = "mailbox"
    repeatable = True

    def __init__(self, store: Store, clock: Callable[[], datetime], channel: str) -> None:
        self._store, self._clock, self.channel = store, clock, channel

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
            "at": self._clock(),
        }
        # The database's own errors quote the message: nothing of them may get out.
        try:
            with self._store.write() as connection:
                connection.execute(_KEEP[connection.dialect.name], kept)
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
