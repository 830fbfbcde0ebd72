"""What to recommend to a lead, and why: pure, and the same for the store and for a made-up world.

Every way from a lead to products is one function; it gives the best first, and ties go by the product's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.language.money import to_major
from dripline.language.recommending import MOST, WAYS
from dripline.language.spoken import in_language

LASTS = timedelta(days=180)
"""How long an interest counts that was not renewed."""

LEAST_TOGETHER = 2
"""Orders that two products must have had in common before that says anything."""

OWN_RHYTHM = 3
"""Purchases of one product from which on the lead's own interval counts, and no longer the catalogue's."""


@dataclass(frozen=True)
class Product:
    """A product of the catalogue. `price` is in minor units of `currency` (ISO 4217)."""

    id: str
    title: Mapping[str, str]
    category: str | None = None
    price: int | None = None
    currency: str | None = None
    url: str | None = None
    image: str | None = None
    related: tuple[str, ...] = ()
    upgrade: str | None = None
    replenish_days: int | None = None
    in_stock: bool = True
    orders: int = 0
    """Orders of the last year that had it."""


@dataclass(frozen=True)
class Interest:
    """What a lead has done about a product: `viewed`, `carted`, `wanted`, `deferred` or `bought`. Times are UTC."""

    product: str
    kind: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Pair:
    """How often two products were in one order: `both` of the `of` orders with `product`.

    `with_other` is how many had the other one, out of `all` orders.
    """

    product: str
    other: str
    both: int
    of: int
    with_other: int
    all: int

    @property
    def sure(self) -> float:
        """The share of orders with the product that had the other one too, as far as one can be sure of it.

        The lower bound of Wilson's interval (1927) at 95 %: two of two orders say less than sixty of a hundred.
        """
        return share_interval(Counted(self.both, self.of)).low

    @property
    def attracts(self) -> bool:
        """Whether the other one is in such orders more often than in any (lift above 1), and not by one chance."""
        return self.both >= LEAST_TOGETHER and self.both * self.all > self.of * self.with_other


@dataclass(frozen=True)
class Shelf:
    """What recommendations to one lead are made of."""

    products: Mapping[str, Product]
    interests: Sequence[Interest] = ()
    pairs: Sequence[Pair] = ()
    lasts: timedelta = LASTS


@dataclass(frozen=True)
class Pick:
    """A product for the lead, by which way it was found, and because of which other one."""

    product: Product
    way: str
    because: Product | None = None
    both: int | None = None
    of: int | None = None
    at: datetime | None = field(default=None, compare=False)
    """When the lead last said something of it."""


def recommend(shelf: Shelf, now: datetime) -> list[Pick]:
    """What there is to recommend, way by way, the best of each first. Only what can be had."""
    known = _Known(shelf, now)
    found: list[Pick] = []
    for way in WAYS:
        seen: dict[str, Pick] = {}
        for pick in _FINDERS[way](known):
            if pick.product.in_stock:
                seen.setdefault(pick.product.id, pick)
            if len(seen) == MOST:
                break
        found += seen.values()
    return found


def spoken(picks: Iterable[Pick], locale: str | None, default: str) -> list[dict[str, Any]]:
    """The picks as conditions and templates read them, in the lead's language; JSON."""
    return in_words([kept(pick) for pick in picks], locale, default)


def kept(pick: Pick) -> dict[str, Any]:
    """A pick as a message keeps it: with its titles in every language; JSON."""
    product = pick.product
    priced = product.price is not None and product.currency is not None
    return {
        "id": product.id,
        "title": dict(product.title),
        "category": product.category,
        "price": to_major(product.price, product.currency) if priced else None,  # type: ignore[arg-type] # both are there
        "currency": product.currency,
        "url": product.url,
        "image": product.image,
        "way": pick.way,
        "because": dict(pick.because.title) if pick.because else None,
        "both": pick.both,
        "of": pick.of,
    }


def in_words(kept: Iterable[Mapping[str, Any]], locale: str | None, default: str) -> list[dict[str, Any]]:
    """What a message keeps, in the language of whoever reads it."""
    languages = (locale, default)
    return [
        {
            **one,
            "title": in_language(one["title"], languages),
            "because": in_language(one["because"], languages) if one["because"] else None,
        }
        for one in kept
    ]


def due_at(interest: Interest, replenish_days: int | None, quantity: int = 1) -> datetime | None:
    """When a product that was bought is used up: by the lead's own rhythm if it has one, else by the catalogue's."""
    rhythm = (
        (interest.last_at - interest.first_at) / (interest.times - 1) if interest.times > 1 else timedelta()
    )
    if replenish_days is None:
        return None
    if interest.times >= OWN_RHYTHM and rhythm >= timedelta(days=1):
        return interest.last_at + rhythm
    return interest.last_at + timedelta(days=replenish_days) * max(1, quantity)


class _Known:
    """What the ways ask of a shelf."""

    def __init__(self, shelf: Shelf, now: datetime) -> None:
        self.shelf = shelf
        self.now = now
        self.bought = {one.product: one for one in shelf.interests if one.kind == "bought"}

    def said(self, *kinds: str) -> list[Interest]:
        """The interests of these kinds that still count, the newest first: not bought since, not too long ago."""
        found = [one for one in self.shelf.interests if one.kind in kinds and self._counts(one)]
        return sorted(found, key=lambda one: (-one.last_at.timestamp(), one.product))

    def _counts(self, interest: Interest) -> bool:
        bought = self.bought.get(interest.product)
        if bought is not None and bought.last_at >= interest.last_at:
            return False
        return interest.last_at > self.now - self.shelf.lasts

    def owned(self) -> list[Interest]:
        """What the lead bought, the newest first."""
        return sorted(self.bought.values(), key=lambda one: (-one.last_at.timestamp(), one.product))

    def product(self, id_: str | None) -> Product | None:
        """The product, if the catalogue has it."""
        return self.shelf.products.get(id_) if id_ is not None else None

    def new(self, id_: str | None) -> Product | None:
        """The product, if the catalogue has it and the lead has not, nor has put it into its cart."""
        carted = {one.product for one in self.said("carted")}
        return None if id_ in self.bought or id_ in carted else self.product(id_)


def _together(known: _Known) -> Iterator[Pick]:
    sources = {one.product for one in (*known.owned(), *known.said("carted"))}
    pairs = [one for one in known.shelf.pairs if one.product in sources and one.attracts]
    for pair in sorted(pairs, key=lambda one: (-one.sure, one.other, one.product)):
        product = known.new(pair.other)
        if product is not None:
            yield Pick(product, "together", known.product(pair.product), pair.both, pair.of)


def _related(known: _Known) -> Iterator[Pick]:
    for one in (*known.owned(), *known.said("carted"), *known.said("viewed", "wanted", "deferred")):
        source = known.product(one.product)
        for id_ in source.related if source else ():
            product = known.new(id_)
            if product is not None:
                yield Pick(product, "related", source, at=one.last_at)


def _upgrade(known: _Known) -> Iterator[Pick]:
    for one in known.owned():
        source = known.product(one.product)
        product = known.new(source.upgrade) if source else None
        if product is not None:
            yield Pick(product, "upgrade", source, at=one.last_at)


def _due(known: _Known) -> Iterator[Pick]:
    for one in known.owned():
        product = known.product(one.product)
        due = due_at(one, product.replenish_days) if product else None
        if product is not None and due is not None and due <= known.now:
            yield Pick(product, "due", at=one.last_at)


def _carted(known: _Known) -> Iterator[Pick]:
    yield from _said(known, "carted", "carted")


def _viewed(known: _Known) -> Iterator[Pick]:
    yield from _said(known, "viewed", "wanted", "deferred")
    yield from _said(known, "viewed", "viewed")


def _said(known: _Known, way: str, *kinds: str) -> Iterator[Pick]:
    for one in known.said(*kinds):
        product = known.product(one.product)
        if product is not None:
            yield Pick(product, way, at=one.last_at)


def _popular(known: _Known) -> Iterator[Pick]:
    products = [one for one in known.shelf.products.values() if one.orders]
    for one in sorted(products, key=lambda one: (-one.orders, one.id)):
        product = known.new(one.id)
        if product is not None:
            yield Pick(product, "popular", of=one.orders)


_FINDERS: Mapping[str, Callable[[_Known], Iterator[Pick]]] = {
    "together": _together,
    "related": _related,
    "upgrade": _upgrade,
    "due": _due,
    "carted": _carted,
    "viewed": _viewed,
    "popular": _popular,
}
