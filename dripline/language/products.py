"""Products: what the workspace file says of them, and the catalogue `products.yaml`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_serializer

from dripline.language.kinds import Flag, Length, Percent, PropertyName, Text
from dripline.language.load import Written, fit, wrong
from dripline.language.money import MoneyError, to_minor
from dripline.language.plan import Duration
from dripline.language.positions import Document
from dripline.language.positions import Mapping as MappingNode
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.spoken import ANY, Spoken
from dripline.language.yaml_reader import read_yaml

CATALOGUE = "products.yaml"
"""The file of the catalogue, beside dripline.yaml."""

Said = Literal["viewed", "carted", "wanted", "deferred"]
"""What leads say of products by what they do; that they bought them, orders say."""

_ID = re.compile(r"[^\s/?#\x00-\x1f\x7f][^\x00-\x1f\x7f/?#]{0,127}")


def _id(value: str) -> str:
    if not _ID.fullmatch(value) or value != value.strip():
        raise wrong("bad-id", f"`{value}` is no id of a product", "write it without `/`, `?` and `#`")
    return value


def _price(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    try:
        price = Decimal(str(value).strip())
    except InvalidOperation:
        raise wrong("bad-amount", f"`{value}` is no price", "write a number, like `4500` or `9.99`") from None
    if not price.is_finite() or not 0 <= price < 10**12:
        raise wrong("bad-amount", f"`{value}` is no price", "write a number, like `4500` or `9.99`")
    return price


def _ids(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


ProductId = Annotated[str, AfterValidator(_id)]
"""A product as the shop calls it."""
Price = Annotated[Decimal, BeforeValidator(_price, json_schema_input_type=float | str)]
"""What one costs, as people say it."""


class InterestEntry(Written):
    """An event by which a lead says something of a product."""

    event: Text = Field(description="The event, like `product.viewed`.")
    product: PropertyName = Field(
        description="The property that says which product, or a list of them, like `event.product`."
    )
    until: PropertyName | None = Field(
        None, description="The property that says for which day the lead put it off, like `event.until`."
    )


Entries = Annotated[
    tuple[InterestEntry, ...],
    BeforeValidator(
        lambda value: [value] if isinstance(value, dict) else value,
        json_schema_input_type=InterestEntry | tuple[InterestEntry, ...],
    ),
]
"""One event, or several."""


class ProductRules(Written):
    """How interests are known, and what leads are told of products."""

    interests: dict[Said, Entries] = Field(
        default_factory=dict,
        description="By what leads say they are interested: `viewed`, `carted`, `wanted` and `deferred`.",
    )
    lasts: Length = Field(
        Duration(days=180),
        description="How long an interest counts that was not renewed; without it, 180 days.",
    )
    price_drop: Percent = Field(
        5, description="By how much a price must fall for leads to be told; without it, 5 %."
    )
    due_before: Length = Field(
        Duration(), description="How long before a product is used up `product.due` is told, like `3 days`."
    )

    @field_serializer("lasts", "due_before")
    def _as_written(self, length: Duration) -> str:
        return f"P{length.months}M{length.days}DT{length.seconds}S"

    @property
    def heard(self) -> frozenset[str]:
        """The events that say something of interests."""
        return frozenset(entry.event for entries in self.interests.values() for entry in entries)

    @property
    def interest_lasts(self) -> timedelta:
        """How long an interest counts; a month is 30 days."""
        return _as_length(self.lasts)

    @property
    def told_before(self) -> timedelta:
        """How long before a product is used up that is told."""
        return _as_length(self.due_before)


def _as_length(length: Duration) -> timedelta:
    return timedelta(days=length.months * 30 + length.days, seconds=length.seconds)


class ProductEntry(Written):
    """A product."""

    title: Spoken = Field(description="What readers see: one text, or one for each language.")
    category: Text | None = Field(None, description="What kind of thing it is, in your words.")
    price: Price | None = Field(None, description="What one costs, like `4500`.")
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="ISO 4217; without it, the workspace's."
    )
    url: Annotated[str, Field(pattern="^https?://", max_length=2_000)] | None = Field(
        None, description="Its page in the shop."
    )
    image: Annotated[str, Field(pattern="^https?://", max_length=2_000)] | None = Field(
        None, description="The address of its picture."
    )
    related: Annotated[tuple[ProductId, ...], BeforeValidator(_ids), Field(max_length=50)] = Field(
        (), description="What goes with it: ids of products, the best first."
    )
    upgrade: ProductId | None = Field(None, description="The better one: its id.")
    replenish: Length | None = Field(None, description="After how long one is used up, like `30 days`.")
    in_stock: Flag = Field(True, description="Whether it can be had now.")
    attributes: dict[Text, Any] = Field(default_factory=dict, description="Whatever else you know of it.")

    def minor(self, currency: str | None) -> tuple[int | None, str | None]:
        """The price in minor units and its currency, the workspace's where none is said. Raises MoneyError."""
        said = self.currency or currency
        if self.price is None:
            return None, self.currency
        if said is None:
            raise MoneyError("it is not said in which currency", "write `currency: AMD`")
        return to_minor(self.price, said), said

    @property
    def replenish_days(self) -> int | None:
        """After how many days one is used up; a month is 30."""
        length = self.replenish
        if length is None:
            return None
        return max(1, length.months * 30 + length.days + length.seconds // 86_400)


class Catalogue(Written):
    """The whole catalogue, by the ids of its products."""

    products: dict[ProductId, ProductEntry]


Products = Mapping[str, ProductEntry]


def load_catalogue(
    root: Path, currency: str | None, name: str = CATALOGUE
) -> tuple[Products | None, list[Problem]]:
    """The catalogue in that folder, None where there is no file; and what is wrong with it."""
    try:
        content = (root / name).read_bytes()
    except OSError:
        return None, []
    document, problems = read_yaml(name, content)
    if document is None:
        return {}, problems
    return read_catalogue(document, currency, problems)


def read_catalogue(
    document: Document, currency: str | None, problems: list[Problem]
) -> tuple[Products, list[Problem]]:
    """The products of a file that is a mapping by id."""
    root = MappingNode(1, 1, {}, {"products": document.root})
    whole, found = fit(Document(document.path, document.lines, root), Catalogue)
    problems = [*problems, *found]
    if whole is None:
        return {}, problems
    for product, key, code, message, hint in misfits(whole.products, currency):
        problems.append(Problem(document.path, *document.place((product, key)), code, "error", message, hint))
    return whole.products, problems


def misfits(
    products: Products, currency: str | None, others: Collection[str] = ()
) -> Iterator[tuple[str, str, str, str, str]]:
    """Id, key, code, message and hint of everything in which products do not fit together."""
    known = {*products, *others}
    for id_, product in products.items():
        try:
            product.minor(currency)
        except MoneyError as error:
            yield id_, "price", "bad-amount", str(error), error.hint
        for key, named in (("related", product.related), ("upgrade", (product.upgrade,))):
            for other in named:
                if other is not None and other not in known:
                    hint = did_you_mean(other, known) or "add the product, or leave it out"
                    yield id_, key, "unknown-product", f"there is no product `{other}`", hint
                elif other == id_:
                    yield id_, key, "unknown-product", f"`{id_}` names itself", "leave it out"


def wrong_interests(
    rules: ProductRules, events: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str, str]]:
    """Code, message and hint of each event and property that there is not."""
    for kind, entries in rules.interests.items():
        for entry in entries:
            if entry.event not in events:
                hint = did_you_mean(entry.event, events) or "declare it under `events`"
                yield "unknown-event", f"`{kind}` names `{entry.event}`, which is not declared", hint
                continue
            known = sorted(events[entry.event])
            for said in (entry.product, entry.until):
                name = said.removeprefix("event.") if said else None
                if name is not None and name not in known:
                    hint = did_you_mean(name, known, "event.{}") or (
                        f"there are {listed(known)}" if known else ""
                    )
                    yield "unknown-property", f"`{entry.event}` has no property `{name}`", hint


__all__ = [
    "ANY",
    "CATALOGUE",
    "Catalogue",
    "InterestEntry",
    "ProductEntry",
    "ProductRules",
    "Products",
    "load_catalogue",
    "misfits",
    "read_catalogue",
    "wrong_interests",
]
