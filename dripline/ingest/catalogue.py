"""The catalogue as files and shops say it: what is new, what changed, and which changes are news to leads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.money import MoneyError
from dripline.language.products import ProductEntry, Products
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.products import (
    archive,
    find_product,
    ids_from,
    note_change,
    save_product,
    tell_no_more,
    untold,
)

Source = Literal["file", "api"]
Became = Literal["new", "changed", "same"]

_CHUNK = 200
"""Products in one transaction: few enough to hold other writers up for moments only."""


@dataclass(frozen=True)
class Terms:
    """How products are read: the workspace's currency (ISO 4217), and from how many percent a price drop is news."""

    currency: str | None
    price_drop: float

    @classmethod
    def of(cls, workspace: Workspace) -> Terms:
        """Those of a workspace."""
        return cls(workspace.currency, workspace.product_rules.price_drop)


@dataclass
class Loaded:
    """What became of the products of a file."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    same: int = 0

    @property
    def anything(self) -> bool:
        """Whether the catalogue is another one now."""
        return bool(self.new or self.changed or self.archived)


def put_product(
    connection: Connection,
    terms: Terms,
    product_id: str,
    entry: ProductEntry,
    source: Source,
    at: datetime,
    digest: str | None = None,
) -> Became:
    """Make a product what was said, whole. Raises Refused for a price that its currency cannot have."""
    before = find_product(connection, product_id, lock=True)
    try:
        price, currency = entry.minor(terms.currency)
    except MoneyError as error:
        raise invalid([FieldError("price", f"{error}; {error.hint}")]) from None
    values = {
        "id": product_id,
        "title": dict(entry.title),
        "category": entry.category,
        "price": price,
        "currency": currency,
        "url": entry.url,
        "image": entry.image,
        "related": list(entry.related),
        "upgrade": entry.upgrade,
        "replenish_days": entry.replenish_days,
        "in_stock": entry.in_stock,
        "attributes": dict(entry.attributes),
        "source": source,
        "digest": digest if digest is not None or before is None else before.digest,
        "updated_at": at,
        "archived_at": None,
    }
    return _save(connection, terms, before, values, at)


def change_product(
    connection: Connection, terms: Terms, product_id: str, changes: Mapping[str, Any], at: datetime
) -> Row[Any]:
    """Change price (minor units) or stock of a product alone; its row. Raises Refused (404)."""
    before = find_product(connection, product_id, lock=True)
    if before is None or before.archived_at is not None:
        raise unknown_product()
    _save(connection, terms, before, {**before._mapping, **changes, "updated_at": at}, at)
    row = find_product(connection, product_id)
    assert row is not None
    return row


def archive_product(connection: Connection, product_id: str, at: datetime) -> None:
    """Take a product out of the catalogue; nobody is recommended it any more. Raises Refused (404)."""
    if not archive(connection, product_id, at):
        raise unknown_product()


def unknown_product() -> Refused:
    """There is no such product."""
    return Refused(404, "unknown-product", "There is no product of this id in the catalogue.")


_ITSELF = ("updated_at", "digest", "words", "ordered", "source")
"""Columns that are not what a product is."""


def _save(
    connection: Connection, terms: Terms, before: Row[Any] | None, values: dict[str, Any], at: datetime
) -> Became:
    values.pop("words", None)
    if before is None:
        save_product(connection, values)
        return "new"
    old = before._mapping
    same = all(old[name] == value for name, value in values.items() if name not in _ITSELF)
    if same and old["digest"] == values["digest"] and old["source"] == values["source"]:
        return "same"
    save_product(connection, values)
    _note_changes(connection, terms, before, values, at)
    return "same" if same else "changed"


def _note_changes(
    connection: Connection, terms: Terms, before: Row[Any], values: Mapping[str, Any], at: datetime
) -> None:
    """Prices and stock as they went, and whether that is news to leads."""
    id_, price = before.id, values["price"]
    if before.in_stock != values["in_stock"]:
        back = bool(values["in_stock"])
        note_change(connection, id_, "stock", int(before.in_stock), int(back), at, news=back)
    same_currency = before.currency == values["currency"]
    if not same_currency:  # what it was before says nothing of what it is now
        tell_no_more(connection, id_, "price", at)
    if before.price is not None and price is not None and before.price != price and same_currency:
        waiting = untold(connection, id_, "price")
        high = max(before.price, waiting.before) if waiting is not None else before.price
        news = price < high and (high - price) * 100 >= high * terms.price_drop
        note_change(connection, id_, "price", high if news else before.price, price, at, news=news)


# -- whole files -------------------------------------------------------------------------------------------------


def load_products(
    store: Store,
    terms: Terms,
    products: Products,
    machine: MachineClock = machine_clock,
    *,
    whole: bool = True,
    dry_run: bool = False,
) -> Iterator[Loaded]:
    """Make the catalogue what a file says, in parts; yields what became of the products so far, after each part.

    A product that the file says as it did before is left as it is, also where a shop has changed it since. With
    `whole`, what came from a file and is in it no longer goes.
    """
    loaded = Loaded()
    items = list(products.items())
    for start in range(0, len(items), _CHUNK) or (0,):
        with store.write() as connection:
            at = open_house(connection).clock.to_house(machine())
            for id_, entry in items[start : start + _CHUNK]:
                _load_one(connection, terms, id_, entry, at, loaded)
            if whole and start + _CHUNK >= len(items):
                for id_ in sorted(ids_from(connection, "file") - products.keys()):
                    archive(connection, id_, at)
                    loaded.archived.append(id_)
            if dry_run:
                connection.rollback()
        yield loaded


def _load_one(
    connection: Connection, terms: Terms, id_: str, entry: ProductEntry, at: datetime, loaded: Loaded
) -> None:
    digest = digest_of(entry)
    before = find_product(connection, id_)
    if before is not None and before.digest == digest and before.archived_at is None:
        loaded.same += 1
        return
    became = put_product(connection, terms, id_, entry, "file", at, digest)
    if became == "same":
        loaded.same += 1
    else:
        (loaded.new if became == "new" else loaded.changed).append(id_)


def digest_of(entry: ProductEntry) -> str:
    """SHA-256 (hex) of what a file says of a product."""
    said = json.dumps(entry.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def make_catalogue_known(
    store: Store, workspace: Workspace, machine: MachineClock = machine_clock
) -> Loaded | None:
    """Make the catalogue what products.yaml of this workspace says; None where there is no such file."""
    if workspace.catalogue is None:
        return None
    return last(load_products(store, Terms.of(workspace), workspace.catalogue, machine))


def last(parts: Iterable[Loaded]) -> Loaded:
    """What became of all products in the end."""
    loaded = Loaded()
    for loaded in parts:  # noqa: B007 (the last is meant)
        pass
    return loaded


__all__ = [
    "Loaded",
    "Terms",
    "archive_product",
    "change_product",
    "last",
    "load_products",
    "make_catalogue_known",
    "put_product",
]
