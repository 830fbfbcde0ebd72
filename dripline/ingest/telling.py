"""Telling leads of products: prices that fell, stock that came back, and what is used up. Each is told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.language.money import to_major
from dripline.language.spoken import in_language
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.interests import bought_by, interested, told_due, used_up
from dripline.store.leads import lock_survivor
from dripline.store.products import by_ids, changes_to_tell, told_up_to
from dripline.store.rules import current_rules

PRICE_DROPPED, BACK_IN_STOCK, DUE = "product.price_dropped", "product.back_in_stock", "product.due"

Says = Callable[[Connection, Row[Any], Row[Any]], tuple[str, str, dict[str, Any]] | None]
"""Of the lead (locked) and the product: id, name and properties of the event to be told; None: nothing."""


class Teller:
    """Looks what is to be told of products, and tells it, one transaction a lead."""

    def __init__(self, store: Store, machine: MachineClock = machine_clock) -> None:
        self._store = store
        self._machine = machine

    def tell_changes(self, most: int) -> int:
        """Tell leads with an interest of prices that fell and stock that came back; how many were told."""
        with self._store.read() as connection:
            changes = changes_to_tell(connection, most)
        told = 0
        for change in changes:
            if told >= most:
                break
            told += self._tell_change(change, most - told)
        return told

    def _tell_change(self, change: Row[Any], most: int) -> int:
        """Go on behind the lead that was told last, so that a crash half-way tells nobody twice."""
        with self._store.read() as connection:
            since = change.at - current_rules(connection).products.interest_lasts
            product = by_ids(connection, [change.product_id]).get(change.product_id)
            holds = product is not None and _holds(change, product)
            leads = interested(connection, change.product_id, since, change.told, most) if holds else []

        def says(
            connection: Connection, lead: Row[Any], product: Row[Any]
        ) -> tuple[str, str, dict[str, Any]] | None:
            told_up_to(connection, change.id, lead.id, None)
            return f"product-{change.id}.{lead.id}", *_of_change(change, product)

        told = sum(self._tell(lead_id, change.product_id, says) for lead_id in leads)
        if len(leads) < most:
            with self._store.write() as connection:
                at = open_house(connection).clock.to_house(self._machine())
                told_up_to(connection, change.id, None, at)
        return told

    def tell_due(self, most: int) -> int:
        """Tell leads what they bought and is used up, or soon will be; how many were told."""
        with self._store.read() as connection:
            house, rules = open_house(connection), current_rules(connection)
            by = house.clock.to_house(self._machine()) + rules.products.told_before
            rows = used_up(connection, by, most)
        return sum(self._tell_due(row) for row in rows)

    def _tell_due(self, row: Row[Any]) -> int:
        def says(
            connection: Connection, lead: Row[Any], product: Row[Any]
        ) -> tuple[str, str, dict[str, Any]] | None:
            still = [one.last_at for one in bought_by(connection, lead.id, [row.product_id])]
            if not told_due(connection, row) or still != [row.last_at]:
                return None  # bought again meanwhile, or given back
            bought = f"{row.last_at:%Y%m%dT%H%M%S}"
            return f"due-{row.product_id[:60]}.{bought}.{lead.id}", DUE, {}

        return self._tell(row.lead_id, row.product_id, says)

    def _tell(self, lead_id: str, product_id: str, says: Says) -> int:
        """Tell the lead what is to be said of the product, if it still is; 1 where that was new."""
        with self._store.write() as connection:
            lead = lock_survivor(connection, lead_id)
            product = by_ids(connection, [product_id]).get(product_id)
            if lead is None or product is None or lead.erased_at is not None:
                return 0
            said = says(connection, lead, product)
            if said is None:
                return 0
            machine_now = self._machine()
            at = open_house(connection).clock.to_house(machine_now)
            event_id, name, more = said
            event = Event(event_id, lead.id, name, {**_card(product, lead), **more}, at)
            try:
                return int(record(connection, event, machine_now).new)
            except Refused:
                return 0


def _holds(change: Row[Any], product: Row[Any]) -> bool:
    """Whether what the change said is so still: what is over is no news."""
    if change.what == "stock":
        return bool(product.in_stock)
    return product.price is not None and product.price <= change.after


def _of_change(change: Row[Any], product: Row[Any]) -> tuple[str, dict[str, Any]]:
    if change.what == "stock":
        return BACK_IN_STOCK, {}
    currency = product.currency
    before, after = to_major(change.before, currency), to_major(product.price, currency)
    return PRICE_DROPPED, {"before": before, "after": after, "currency": currency}


def _card(product: Row[Any], lead: Row[Any]) -> dict[str, Any]:
    """What every such event says of its product, in the lead's language."""
    card = {"product": product.id, "title": in_language(product.title, (lead.locale,))}
    return {**card, "url": product.url} if product.url else card
