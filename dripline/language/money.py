"""Amounts of money: whole minor units inside (ISO 4217), as people write them outside."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.numbers import get_currency_precision, is_currency

MAX_MINOR = 10**14
"""Minor units that an amount may have."""

_AMOUNT = re.compile(r"(?P<number>\d{1,12}(?:\.\d{1,4})?)(?: ?(?P<currency>[A-Z]{3}))?")


class MoneyError(ValueError):
    """A text that is no amount of money."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def read_money(text: str) -> tuple[Decimal, str | None]:
    """The amount that a text says, and its currency where it says one. Raises MoneyError."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise MoneyError(f"`{text}` is no amount of money", "write it like `5000 AMD` or `9.99 USD`")
    currency = match["currency"]
    if currency is not None and not is_currency(currency):
        raise MoneyError(f"there is no currency `{currency}`", "write it like `AMD` (ISO 4217)")
    if Decimal(match["number"]) <= 0:
        raise MoneyError("the amount is nothing", "write more than 0")
    return Decimal(match["number"]), currency


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount in minor units. Raises MoneyError where the currency has none so small."""
    digits = get_currency_precision(currency)
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value() or minor > MAX_MINOR:
        raise MoneyError(f"{currency} has {digits} digits behind the point", "round the amount")
    return int(minor)


def to_major(minor: int, currency: str) -> int | float:
    """The amount as people say it: 999 of USD is 9.99."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return int(amount) if amount == amount.to_integral_value() else float(amount)
