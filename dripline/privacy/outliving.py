"""What has been kept for long enough, by kind: which rows, and how they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    update,
)

from dripline.store import schema
from dripline.store.schema import (
    events,
    hits,
    import_rows,
    imports,
    inbound,
    leads,
    mailbox,
    messages,
    runs,
    survey_asks,
)

SETTLED = ("accepted", "delivered", "bounced", "failed", "skipped")
"""States of messages that need their texts no more."""

STILL_READ = ("lead.updated",)
"""Events whose properties are no lead's words (names of fields), and are read long after."""


@dataclass(frozen=True)
class Kind:
    """Rows that go by their age. `age` is when they began to age; `is_due` what must be so besides."""

    name: str
    key: Column[Any]
    age: ColumnElement[Any]
    is_due: ColumnElement[bool]
    take: Callable[[Connection, Sequence[Any]], int]
    machine_time: bool = False
    """Whether `age` is by the machine's clock, not by the house's."""


def of_rows() -> tuple[Kind, ...]:
    """The kinds of which rows are emptied or deleted; whole leads are erased (`of_leads`)."""
    return (
        Kind("messages", messages.c.id, messages.c.queued_at, _is_written(), _empty_messages),
        Kind("events", events.c.seq, events.c.received_at, _is_needed_by_nobody(), _empty_events),
        Kind("replies", inbound.c.id, inbound.c.at, ~false(), _deleting(inbound, inbound.c.id)),
        Kind(
            "comments",
            survey_asks.c.id,
            survey_asks.c.answered_at,
            survey_asks.c.comment != "",
            _empty_comments,
        ),
        Kind("hits", hits.c.id, hits.c.at, ~false(), _deleting(hits, hits.c.id)),
        Kind("mailbox", mailbox.c.key, mailbox.c.at, ~false(), _deleting(mailbox, mailbox.c.key)),
        Kind(
            "imports",
            imports.c.id,
            imports.c.at,
            exists().where(import_rows.c.import_id == imports.c.id),
            _deleting(import_rows, import_rows.c.import_id),
        ),
        Kind(
            "audit",
            schema.audit.c.id,
            schema.audit.c.at,
            schema.audit.c.id.not_in(select(func.max(schema.audit.c.id)).group_by(schema.audit.c.what)),
            _deleting(schema.audit, schema.audit.c.id),
            machine_time=True,
        ),
    )


def of_leads() -> tuple[tuple[str, ColumnElement[bool]], ...]:
    """The kinds of leads that are erased when nothing has happened to them for long."""
    nobody = and_(leads.c.email.is_(None), leads.c.phone.is_(None), leads.c.external_id.is_(None))
    agrees = or_(
        *(func.coalesce(leads.c.consent[channel].as_boolean(), false()) for channel in ("email", "sms"))
    )
    return ("anonymous", nobody), ("idle", and_(~nobody, ~agrees))


def silent_since(cutoff: datetime) -> ColumnElement[bool]:
    """Leads that are there, in no journey, and to whom nothing has happened since."""
    return and_(
        leads.c.merged_into.is_(None),
        leads.c.erased_at.is_(None),
        leads.c.updated_at < cutoff,
        ~exists().where(runs.c.lead_id == leads.c.id, runs.c.ended_at.is_(None)),
        ~exists().where(events.c.lead_id == leads.c.id, events.c.received_at >= cutoff),
        ~exists().where(messages.c.lead_id == leads.c.id, messages.c.queued_at >= cutoff),
        ~exists().where(messages.c.lead_id == leads.c.id, messages.c.state.not_in(SETTLED)),
    )


def _is_written() -> ColumnElement[bool]:
    texts = (messages.c.subject, messages.c.html, messages.c.body)
    return and_(messages.c.state.in_(SETTLED), or_(*(text.is_not(None) for text in texts)))


def _is_needed_by_nobody() -> ColumnElement[bool]:
    """A run that is open may still ask for whatever its lead did, and reads the event that it began with."""
    in_journey = exists().where(runs.c.lead_id == events.c.lead_id, runs.c.ended_at.is_(None))
    return and_(events.c.properties != {}, events.c.name.not_in(STILL_READ), ~in_journey)


def _empty_messages(connection: Connection, ids: Sequence[Any]) -> int:
    nothing: dict[str, Any] = {"subject": None, "html": None, "body": None, "context": {}}
    return connection.execute(update(messages).where(messages.c.id.in_(ids)).values(nothing)).rowcount


def _empty_events(connection: Connection, ids: Sequence[Any]) -> int:
    return connection.execute(update(events).where(events.c.seq.in_(ids)).values(properties={})).rowcount


def _empty_comments(connection: Connection, ids: Sequence[Any]) -> int:
    """That there were words stays: figures count them, and the page does not ask for them again."""
    return connection.execute(
        update(survey_asks).where(survey_asks.c.id.in_(ids)).values(comment="")
    ).rowcount


def _deleting(table: Table, key: Column[Any]) -> Callable[[Connection, Sequence[Any]], int]:
    def take(connection: Connection, ids: Sequence[Any]) -> int:
        return connection.execute(delete(table).where(key.in_(ids))).rowcount

    return take
