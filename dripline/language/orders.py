"""`orders` of the workspace file: which events say that something was bought, and what each says of it.

How an order is read is pure, so that the simulator and a store read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from babel.numbers import get_currency_precision, is_currency
from pydantic import Field

from dripline.language.kinds import Flag, PropertyName, Text
from dripline.language.load import Written
from dripline.language.money import MAX_MINOR
from dripline.language.short_forms import ShortForm

MAX_ITEMS = 500
"""Items of one order that are kept."""
_MAX_ID, _MAX_PRODUCT, _MAX_QUANTITY = 256, 128, 1_000_000


class RefundEntry(Written):
    """Which event says that an order was given back."""

    event: Text = Field(description="The event, like `order.refunded`.")
    id: PropertyName = Field(
        "event.order_id", description="The order: a property; without it, `event.order_id`."
    )
    total: PropertyName | None = Field(
        None, description="How much was given back: a property, like `event.total`; without it, all of it."
    )


class OrderRules(Written):
    """Which event says that something was bought."""

    event: Text = Field(description="The event, like `order.paid`.")
    id: PropertyName = Field(
        "event.order_id", description="The order: a property; without it, `event.order_id`."
    )
    total: PropertyName = Field("event.total", description="What was paid; without it, `event.total`.")
    currency: PropertyName = Field(
        "event.currency", description="In which currency; where the event says none, it is the workspace's."
    )
    items: PropertyName = Field(
        "event.items",
        description="What was bought: a list of ids of products, or of `{product, quantity, price}`.",
    )
    refund: RefundEntry | None = Field(None, description="Which event says that an order was given back.")
    customer: Flag = Field(
        False, description="Whether the first order makes a lead a customer: its stage is `customer` then."
    )

    @property
    def heard(self) -> frozenset[str]:
        """The events that say something of orders."""
        return frozenset({self.event, *({self.refund.event} if self.refund else ())})


Orders = Annotated[
    OrderRules, ShortForm(lambda value: {"event": value} if isinstance(value, str) else value, "event")
]


@dataclass(frozen=True)
class Item:
    """So many of a product; `price` of one in minor units, None where it was not said."""

    product: str
    quantity: int = 1
    price: int | None = None


@dataclass(frozen=True)
class Ordered:
    """What an event says that was bought. Amounts are in minor units of `currency` (ISO 4217)."""

    reference: str
    total: int
    currency: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Refunded:
    """What an event says that was given back; `total` None: all of it."""

    reference: str
    total: Decimal | None


class Unreadable(ValueError):
    """An event that says an order and not which, or not for how much. `field` is the property."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def read_order(rules: OrderRules, properties: Mapping[str, Any], currency: str | None) -> Ordered:
    """The order that an event says; `currency` is the workspace's. Raises Unreadable."""
    said = _said(properties, rules.currency)
    known = str(said).strip().upper() if said else currency
    if known is None or not is_currency(known):
        raise Unreadable(_name(rules.currency), "is no currency (ISO 4217)")
    total = amount(_said(properties, rules.total))
    if total is None:
        raise Unreadable(_name(rules.total), "is no amount")
    items = tuple(_items(_said(properties, rules.items), known))
    return Ordered(_reference(properties, rules.id), minor(total, known), known, items)


def read_refund(rules: RefundEntry, properties: Mapping[str, Any]) -> Refunded:
    """What was given back, as an event says it. Raises Unreadable."""
    total = None
    if rules.total is not None:
        total = amount(_said(properties, rules.total))
        if total is None:
            raise Unreadable(_name(rules.total), "is no amount")
    return Refunded(_reference(properties, rules.id), total)


def minor(total: Decimal, currency: str) -> int:
    """An amount in minor units, rounded to the nearest."""
    return int(total.scaleb(get_currency_precision(currency)).to_integral_value())


def amount(value: Any) -> Decimal | None:
    """A number that is no less than nothing, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= MAX_MINOR // 10_000 else None


def _reference(properties: Mapping[str, Any], field: str) -> str:
    said = _said(properties, field)
    text = str(said).strip() if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not text or len(text) > _MAX_ID:
        raise Unreadable(_name(field), "is no id of an order")
    return text


def _items(said: Any, currency: str) -> Iterator[Item]:
    """What can be read of the list; a line that says no product is left out."""
    for one in (said if isinstance(said, list) else [])[:MAX_ITEMS]:
        line = one if isinstance(one, Mapping) else {"product": one}
        product = next((line[key] for key in ("product", "product_id", "sku", "id") if line.get(key)), None)
        if isinstance(product, bool) or not isinstance(product, str | int):
            continue
        name = str(product).strip()
        if not name or len(name) > _MAX_PRODUCT:
            continue
        number = amount(line.get("quantity", 1))
        quantity = int(number) if number is not None and 1 <= number <= _MAX_QUANTITY else 1
        price = amount(line.get("price"))
        yield Item(name, quantity, None if price is None else minor(price, currency))


def _said(properties: Mapping[str, Any], field: str) -> Any:
    return properties.get(_name(field))


def _name(field: str) -> str:
    return field.removeprefix("event.")
