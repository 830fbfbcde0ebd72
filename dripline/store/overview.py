"""Looking at runs and messages, newest first and a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select

from dripline.clock import HouseClock
from dripline.store.database import Store
from dripline.store.leads import WHO
from dripline.store.schema import house, leads, mailbox, messages, runs

Found = Row[*tuple[Any, ...]]
"""A row with named columns of several tables."""


@dataclass(frozen=True)
class Page:
    """Some rows, and the id after which the next page begins (None: there is no more)."""

    rows: list[Found]
    next: str | None


def list_runs(
    connection: Connection,
    journey: str | None = None,
    lead_id: str | None = None,
    is_open: bool | None = None,
    after: str | None = None,
    limit: int = 50,
    step: str | None = None,
    outcome: str | None = None,
) -> Page:
    """Runs, newest first, each with its lead's names (`lead_email`, …). `after` is the id of the last one seen.

    With `step`, those that stand there now; with `outcome`, those that ended so.
    """
    query = select(runs, *WHO).join(leads, leads.c.id == runs.c.lead_id).order_by(runs.c.id.desc())
    if journey is not None:
        query = query.where(runs.c.journey == journey)
    if lead_id is not None:
        query = query.where(runs.c.lead_id == lead_id)
    if is_open is not None:
        query = query.where(runs.c.ended_at.is_(None) if is_open else runs.c.ended_at.is_not(None))
    if step is not None:
        query = query.where(runs.c.step == step, runs.c.ended_at.is_(None))
    if outcome is not None:
        query = query.where(runs.c.outcome == outcome)
    if after is not None:
        query = query.where(runs.c.id < after)
    return _page(connection, query, limit)


def list_leads(
    connection: Connection, *, incomplete: bool = False, after: str | None = None, limit: int = 50
) -> Page:
    """Leads, newest first, without the merged and the erased. `after` is the id of the last one seen.

    `incomplete`: those that lack a person, or a way to reach one.
    """
    there = (leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
    query: Select[*tuple[Any, ...]] = select(leads).where(*there).order_by(leads.c.id.desc())
    if incomplete:
        query = query.where(leads.c.lacks != literal([], leads.c.lacks.type))
    if after is not None:
        query = query.where(leads.c.id < after)
    return _page(connection, query, limit)


def list_messages(
    connection: Connection,
    lead_id: str | None = None,
    skip: int = 0,
    limit: int = 20,
    state: str | None = None,
) -> tuple[list[Found], bool]:
    """Messages of the ledger, the newest first, each with its lead's names; and whether there are more."""
    query = (
        select(messages, *WHO)
        .join(leads, leads.c.id == messages.c.lead_id)
        .order_by(messages.c.queued_at.desc(), messages.c.id.desc())
        .offset(skip)
        .limit(limit + 1)
    )
    if lead_id is not None:
        query = query.where(messages.c.lead_id == lead_id)
    if state is not None:
        query = query.where(messages.c.state == state)
    rows = list(connection.execute(query).all())
    return rows[:limit], len(rows) > limit


def count_messages(connection: Connection) -> Mapping[str, int]:
    """How many messages are in each state."""
    query = select(messages.c.state, func.count().label("number")).group_by(messages.c.state)
    return {row.state: row.number for row in connection.execute(query)}


def count_refused(connection: Connection) -> int:
    """How many messages a provider has not accepted so far; they are tried again."""
    tried = (messages.c.state == "queued") & (messages.c.attempts > 0)
    return connection.execute(select(func.count()).select_from(messages).where(tried)).scalar_one()


def find_message(connection: Connection, message_id: str) -> Found | None:
    """A message of the ledger with its lead's names, or None."""
    query = select(messages, *WHO).join(leads, leads.c.id == messages.c.lead_id)
    return connection.execute(query.where(messages.c.id == message_id)).one_or_none()


def mail_headers(connection: Connection, message_id: str) -> dict[str, str]:
    """The headers of our own with which the local mailbox took the message; none where another provider has it."""
    found = connection.execute(
        select(mailbox.c.headers).where(mailbox.c.key == message_id)
    ).scalar_one_or_none()
    return dict(found or {})


def find_messages_by_start(connection: Connection, start: str) -> list[Found]:
    """The messages whose id begins with these characters: two at most, which is enough to know it is not one."""
    query = select(messages, *WHO).join(leads, leads.c.id == messages.c.lead_id)
    return list(
        connection.execute(query.where(messages.c.id.startswith(start, autoescape=True)).limit(2)).all()
    )


def _page(connection: Connection, query: Select[*tuple[Any, ...]], limit: int) -> Page:
    rows = list(connection.execute(query.limit(limit + 1)).all())
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1].id if more else None)


def house_clock(store: Store) -> HouseClock:
    """The installation's clock, for whoever only looks; the machine's own where nobody opened the house yet."""
    with store.read() as connection:
        row = connection.execute(select(house)).one_or_none()
    if row is None:
        return HouseClock()
    return HouseClock(machine_epoch=row.machine_epoch, house_epoch=row.house_epoch, rate=row.rate)
