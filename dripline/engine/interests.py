"""What an event says of a lead's interest in products: pure, so that a store and a made-up world read alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from dripline.engine.recommending import Interest
from dripline.language.orders import OrderRules, Unreadable, read_order
from dripline.language.products import ProductRules

MOST_PRODUCTS = 100
"""Products that one event may name; what is beyond is left out."""
_LONGEST = 128


@dataclass(frozen=True)
class Word:
    """An event says this of a product: one of the kinds of interests, and so many pieces where it was bought."""

    product: str
    kind: str
    quantity: int = 1
    until: datetime | None = None


def words_of(
    products: ProductRules,
    orders: OrderRules | None,
    currency: str | None,
    name: str,
    said: Mapping[str, Any],
) -> list[Word]:
    """What the event says, each product and kind once."""
    found: dict[tuple[str, str], Word] = {}
    for word in (*_said(products, name, said), *_bought(orders, currency, name, said)):
        before = found.get((word.product, word.kind))
        quantity = word.quantity + (before.quantity if before else 0)
        found[word.product, word.kind] = replace(word, quantity=quantity) if word.kind == "bought" else word
    return list(found.values())[:MOST_PRODUCTS]


def _said(products: ProductRules, name: str, said: Mapping[str, Any]) -> Iterator[Word]:
    for kind, entries in products.interests.items():
        for entry in entries:
            if entry.event != name:
                continue
            until = moment(said.get(entry.until.removeprefix("event."))) if entry.until else None
            for product in ids_in(said.get(entry.product.removeprefix("event."))):
                yield Word(product, kind, until=until)


def _bought(
    orders: OrderRules | None, currency: str | None, name: str, said: Mapping[str, Any]
) -> Iterator[Word]:
    if orders is None or name != orders.event:
        return
    try:
        order = read_order(orders, said, currency)
    except Unreadable:
        return  # which ingest counts among the strays
    quantities = Counter[str]()
    for item in order.items:
        quantities[item.product] += item.quantity
    for product, quantity in quantities.items():
        yield Word(product, "bought", quantity)


def ids_in(said: Any) -> list[str]:
    """The products that a property names: one, or a list of ids or of `{product, …}`."""
    found = []
    for one in said if isinstance(said, list) else [said]:
        named = one
        if isinstance(one, Mapping):
            named = next((one[key] for key in ("product", "product_id", "sku", "id") if one.get(key)), None)
        if isinstance(named, str | int) and not isinstance(named, bool):
            text = str(named).strip()
            if text and len(text) <= _LONGEST:
                found.append(text)
    return found


def moment(said: Any) -> datetime | None:
    """The day or time that a property says; None where it says none."""
    if isinstance(said, str):
        try:
            return datetime.fromisoformat(said)
        except ValueError:
            return None
    return datetime(said.year, said.month, said.day) if isinstance(said, date) else None  # noqa: DTZ001 (a day as such)


def together(before: Interest | None, word: Word, at: datetime) -> Interest:
    """The interest after one more word of it, whichever came first."""
    if before is None:
        return Interest(word.product, word.kind, 1, at, at)
    first, last = min(before.first_at, at), max(before.last_at, at)
    return replace(before, times=before.times + 1, first_at=first, last_at=last)


def interests_of(words: Iterable[tuple[Word, datetime]]) -> list[Interest]:
    """The interests that come of words said at these times."""
    found: dict[tuple[str, str], Interest] = {}
    for word, at in words:
        found[word.product, word.kind] = together(found.get((word.product, word.kind)), word, at)
    return list(found.values())
