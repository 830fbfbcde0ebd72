"""The catalogue as a made-up lead's journeys find it: the workspace's own, and what the lead has said and bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from dripline.engine.interests import Word, interests_of, words_of
from dripline.engine.recommending import Product, Shelf
from dripline.language.workspace import Workspace
from dripline.simulate.state import State


def products_of(workspace: Workspace) -> dict[str, Product]:
    """The products of products.yaml. Nothing was bought together yet, and nothing is popular."""
    found = {}
    for id_, entry in (workspace.catalogue or {}).items():
        price, currency = entry.minor(workspace.currency)
        found[id_] = Product(
            id=id_,
            title=entry.title,
            category=entry.category,
            price=price,
            currency=currency,
            url=entry.url,
            image=entry.image,
            related=entry.related,
            upgrade=entry.upgrade,
            replenish_days=entry.replenish_days,
            in_stock=entry.in_stock,
        )
    return found


def shelf_of(state: State) -> Shelf:
    """What recommendations to the lead are made of; what was given back was never bought."""
    rules, refunded = state.rules, set(_refunded(state)) - {None}
    said: list[tuple[Word, datetime]] = []
    for event in state.events:
        if _order(state, event.name, event.properties) in refunded:
            continue
        words = words_of(rules.products, rules.orders, rules.currency, event.name, event.properties)
        said += [(word, event.received_at) for word in words]
    bought = [(Word(one.product, "bought"), one.last_at) for one in state.bought]
    return Shelf(state.products, interests_of([*bought, *said]), lasts=rules.products.interest_lasts)


def _order(state: State, name: str, properties: Mapping[str, object]) -> object:
    orders = state.rules.orders
    if orders is None or name != orders.event:
        return None
    return properties.get(orders.id.removeprefix("event."))


def _refunded(state: State) -> Iterator[object]:
    """The orders that were given back whole."""
    refund = state.rules.orders.refund if state.rules.orders else None
    for event in state.events:
        if refund is not None and event.name == refund.event:
            total = refund.total and event.properties.get(refund.total.removeprefix("event."))
            if total is None:
                yield event.properties.get(refund.id.removeprefix("event."))
