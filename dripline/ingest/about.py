"""An event about a message that does not say about which: it is about the last one that left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from dripline.ingest.surveys.telling import about_a_survey, says_no_message
from dripline.language.tracking import channel_of
from dripline.store.events import Event
from dripline.store.schema import messages
from dripline.tracking.addresses import without_query

_NAMED = ("template", "step", "journey", "run")


def lacks_message(event: Event) -> bool:
    """Whether it is about a message and does not say about which."""
    if says_no_message(event):
        return True
    return channel_of(event.name) is not None and "message" not in event.properties


def about_a_message(connection: Connection, event: Event) -> Event:
    """The event with the message that it is about: the lead's last one of what it says of it (`template`, `step` …).

    For those who tell by hand what becomes of messages, to try a journey or because another system knows. Where
    there is no such message the event stays as it is.
    """
    if not lacks_message(event):
        return event
    if says_no_message(event):
        return about_a_survey(connection, event)
    table, said = messages.c, dict(event.properties)
    names = {"run": table.run_id}
    fitting = [names.get(key, getattr(table, key, None)) == said[key] for key in _NAMED if said.get(key)]
    query = (
        select(messages)
        .where(
            table.lead_id == event.lead_id,
            table.channel == channel_of(event.name),
            table.notice.is_(False),
            table.accepted_at.is_not(None),
            *fitting,
        )
        .order_by(table.queued_at.desc(), table.id.desc())
        .limit(1)
    )
    row: Any = connection.execute(query).one_or_none()
    if row is None:
        return event
    about = {"message": row.id, "template": row.template, "step": row.step, "journey": row.journey}
    link = {"link": without_query(str(said["link"]))} if said.get("link") else {}
    return replace(event, properties={**said, **about, "run": row.run_id, **link})


__all__ = ["about_a_message", "lacks_message"]
