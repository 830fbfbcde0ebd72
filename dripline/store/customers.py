"""Customer cards: what is known of a customer, when it became one, and what led there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row, insert, select, update

from dripline.language.stages import first_card, readable_card
from dripline.store.schema import customers, events, leads, messages, runs, touches

MOST = 50
"""Of each kind, how much of the way to a conversion is kept: what came last."""

MAX_ORDER = 128
"""Letters of an order's reference that a card keeps: a longer one is left to the order itself, as a piece of one
would name another."""

_NOT_OF_THE_WAY = ("lead.updated", "lead.stage_changed", "lead.converted")


def customer_of(connection: Connection, lead_id: str) -> Row[Any] | None:
    """The lead's customer card; of two of one lead the earlier."""
    query = (
        select(customers)
        .where(customers.c.lead_id == lead_id)
        .order_by(customers.c.converted_at, customers.c.id)
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def read_customer(connection: Connection, lead_id: str) -> dict[str, Any] | None:
    """The lead's customer card as conditions read it, or None."""
    row = customer_of(connection, lead_id)
    return readable_card(row.card, row.converted_at, row.owner, row.order_id) if row is not None else None


def add_customer(connection: Connection, lead: Row[Any], at: datetime, order: str | None) -> None:
    """Begin the customer card of a lead that has none, with the way that led there. Lock the lead first."""
    card = first_card(dict(lead._mapping), lead.attributes or {})
    row = {
        "id": str(uuid_utils.uuid7()),
        "lead_id": lead.id,
        "converted_at": at,
        "owner": lead.owner,
        "order_id": order if order is not None and len(order) <= MAX_ORDER else None,
        "path": way_there(connection, lead.id, at),
        "card": card,
        "updated_at": at,
    }
    connection.execute(insert(customers).values(**row))
    _show(connection, lead.id, readable_card(card, at, lead.owner, order))


def write_card(connection: Connection, lead_id: str, values: Mapping[str, Any], at: datetime) -> bool:
    """Lay values (JSON; None takes one away) over the lead's customer card; whether it has one."""
    row = customer_of(connection, lead_id)
    if row is None:
        return False
    card = {name: value for name, value in {**row.card, **values}.items() if value is not None}
    connection.execute(update(customers).where(customers.c.id == row.id).values(card=card, updated_at=at))
    _show(connection, lead_id, readable_card(card, row.converted_at, row.owner, row.order_id))
    return True


def _show(connection: Connection, lead_id: str, card: Mapping[str, Any]) -> None:
    connection.execute(update(leads).where(leads.c.id == lead_id).values(customer=dict(card)))


def way_there(connection: Connection, lead_id: str, until: datetime) -> list[dict[str, Any]]:
    """What led to a conversion: touches, journeys, messages and events, oldest first, as JSON."""
    found = [
        *_touches(connection, lead_id, until),
        *_events(connection, lead_id, until),
        *_runs(connection, lead_id, until),
        *_messages(connection, lead_id, until),
    ]
    found.sort(key=lambda one: one["at"])
    told = ({**one, "at": one["at"].isoformat()} for one in found)
    return [{name: value for name, value in one.items() if value is not None} for one in told]


def _touches(connection: Connection, lead_id: str, until: datetime) -> list[dict[str, Any]]:
    table = touches.c
    columns = (table.at, table.channel, table.source, table.campaign)
    query = select(*columns).where(table.lead_id == lead_id, table.at <= until).order_by(table.at.desc())
    return [{"what": "touch", **row._mapping} for row in connection.execute(query.limit(MOST))]


def _runs(connection: Connection, lead_id: str, until: datetime) -> list[dict[str, Any]]:
    table = runs.c
    columns = (table.started_at.label("at"), table.id.label("run"), table.journey)
    query = select(*columns).where(table.lead_id == lead_id, table.started_at <= until)
    rows = connection.execute(query.order_by(table.started_at.desc()).limit(MOST))
    return [{"what": "journey", **row._mapping} for row in rows]


def _messages(connection: Connection, lead_id: str, until: datetime) -> list[dict[str, Any]]:
    table = messages.c
    columns = (table.accepted_at.label("at"), table.channel, table.template, table.journey)
    query = (
        select(*columns, table.first_clicked_at.is_not(None).label("clicked"))
        .where(table.lead_id == lead_id, table.accepted_at <= until, table.notice.is_(False))
        .order_by(table.accepted_at.desc())
    )
    return [{"what": "message", **row._mapping} for row in connection.execute(query.limit(MOST))]


def _events(connection: Connection, lead_id: str, until: datetime) -> list[dict[str, Any]]:
    table = events.c
    query = (
        select(table.received_at.label("at"), table.name)
        .where(table.lead_id == lead_id, table.received_at <= until, table.name.not_in(_NOT_OF_THE_WAY))
        .order_by(table.received_at.desc(), table.seq.desc())
    )
    return [{"what": "event", **row._mapping} for row in connection.execute(query.limit(MOST))]
