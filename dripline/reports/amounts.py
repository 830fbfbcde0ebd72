"""Sums of money: exact, in minor units, and only of one currency at a time."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sqlalchemy import ColumnElement, Connection, func, select

from dripline.language.money import to_major
from dripline.store.schema import orders


def divide(amount: int, parts: int) -> list[int]:
    """The amount in so many parts that are as equal as can be and sum to it; the first get what is over."""
    each, over = divmod(amount, parts)
    return [each + (number < over) for number in range(parts)]


def share_of_days(amount: int, before: int, within: int, days: int) -> int:
    """What of an amount for `days` days falls on `within` of them, after `before`: parts sum to the amount."""
    return amount * (before + within) // days - amount * before // days


def currencies(connection: Connection) -> list[str]:
    """Those that orders are in, by how many are."""
    query = select(orders.c.currency).group_by(orders.c.currency)
    return list(connection.execute(query.order_by(func.count().desc(), orders.c.currency)).scalars())


def choose_currency(
    connection: Connection, wanted: str | None, usual: str | None, *of: ColumnElement[bool]
) -> tuple[str | None, list[str]]:
    """In which currency a report of these orders is, and what is said of those that it leaves out."""
    query = select(orders.c.currency, func.count().label("number")).where(*of).group_by(orders.c.currency)
    return choose_of({row.currency: row.number for row in connection.execute(query)}, wanted, usual, "order")


def choose_of(
    found: Mapping[str, int], wanted: str | None, usual: str | None, what: str
) -> tuple[str | None, list[str]]:
    """In which currency a report is of so many in each, and what is said of those that it leaves out."""
    most = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    chosen = wanted or (usual if usual in found or not found else most[0][0])
    return chosen, [
        f"{number:,} {what}{'' if number == 1 else 's'} in {currency} left out of the amounts:"
        f" ask for the currency {currency} to see them."
        for currency, number in most
        if currency != chosen
    ]


def major(minor: int | None, currency: str | None) -> int | float | None:
    """As people say it; None where there is no currency to say it in."""
    return None if minor is None or currency is None else to_major(minor, currency)


def over(amount: int, number: int, currency: str | None) -> int | float | None:
    """What one of so many comes to, to the nearest minor unit; None of none."""
    return major(round(Fraction(amount, number)), currency) if number else None
