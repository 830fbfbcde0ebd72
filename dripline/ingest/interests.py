"""Interests in products: kept as the events come that say so, in the transaction that records them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from dripline.engine.interests import Word, together, words_of
from dripline.engine.recommending import Interest, due_at
from dripline.ingest.ordering import when
from dripline.ingest.shelf import as_interest
from dripline.language.rules import Rules
from dripline.store.events import Event
from dripline.store.interests import bought_by, save_interest
from dripline.store.products import by_ids
from dripline.store.schema import interests


def keep_interests(connection: Connection, rules: Rules, event: Event) -> None:
    """Keep what the event says of products. The lead is locked, and an order that it says is kept already."""
    if event.name not in rules.of_products:
        return
    words = words_of(rules.products, rules.orders, rules.currency, event.name, event.properties)
    said = [word for word in words if word.kind != "bought"]
    bought = {word.product: word.quantity for word in words if word.kind == "bought"}
    known = _known(connection, event.lead_id, words) if words else {}
    for word in said:
        interest = together(known.get((word.product, word.kind)), word, when(event))
        _save(connection, event.lead_id, interest, until=_utc(word.until, rules.timezone))
    if bought:
        _keep_bought(connection, event.lead_id, bought, known)


def _keep_bought(
    connection: Connection,
    lead_id: str,
    quantities: Mapping[str, int],
    known: Mapping[tuple[str, str], Interest],
) -> None:
    """How often it was bought is what the orders say; an order that is told twice changes nothing."""
    catalogue = by_ids(connection, quantities)
    for row in bought_by(connection, lead_id, quantities):
        interest = Interest(row.product_id, "bought", row.times, row.first_at, row.last_at)
        if known.get((interest.product, "bought")) == interest:
            continue
        days = catalogue[interest.product].replenish_days if interest.product in catalogue else None
        _save(connection, lead_id, interest, due=due_at(interest, days, quantities[interest.product]))


def _save(
    connection: Connection,
    lead_id: str,
    interest: Interest,
    until: datetime | None = None,
    due: datetime | None = None,
) -> None:
    row = {
        "lead_id": lead_id,
        "product_id": interest.product,
        "kind": interest.kind,
        "times": interest.times,
        "first_at": interest.first_at,
        "last_at": interest.last_at,
        "until": until,
        "due_at": due,
    }
    save_interest(connection, row)


def _known(connection: Connection, lead_id: str, words: list[Word]) -> dict[tuple[str, str], Interest]:
    query = select(interests).where(
        interests.c.lead_id == lead_id, interests.c.product_id.in_({word.product for word in words})
    )
    return {(row.product_id, row.kind): as_interest(row) for row in connection.execute(query)}


def _utc(moment: datetime | None, zone: str) -> datetime | None:
    """A day or a time as somebody says it: in the workspace's zone where none is said."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
