"""What was paid, read from files and callers, and laid on the days of a period."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from babel.numbers import get_currency_precision, is_currency
from sqlalchemy import Connection, Row

from dripline.language.money import MAX_MINOR
from dripline.language.problems import did_you_mean
from dripline.reports.amounts import share_of_days
from dripline.reports.period import Period
from dripline.store.spends import Spend, list_spends

By = Literal["source", "channel", "campaign"]
COLUMNS = ("first_day", "last_day", "source", "channel", "campaign", "amount", "currency")
MOST_ROWS = 100_000
MOST_DAYS = 3_660
_MAX = {"source": 256, "channel": 64, "campaign": 256}


class SpendError(ValueError):
    """A cost that cannot be read: of which field, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field
        self.message = message


def read_spend(said: dict[str, Any], usual: str | None) -> Spend:
    """A cost as people say it: days as dates, the amount in major units. Raises SpendError.

    `usual` is the currency of amounts that name none. Without `last_day` it is for one day.
    """
    first = _day(said, "first_day")
    last = _day(said, "last_day") if said.get("last_day") else first
    if last < first:
        raise SpendError("last_day", f"is before {first}, the first day")
    if (last - first).days >= MOST_DAYS:
        raise SpendError("last_day", "is more than ten years after the first day")
    currency = str(said.get("currency") or usual or "").strip().upper()
    if not is_currency(currency):
        raise SpendError("currency", "is needed, such as AMD (ISO 4217)")
    words = {name: str(said.get(name) or "").strip() or None for name in _MAX}
    for name, word in words.items():
        if word is not None and len(word) > _MAX[name]:
            raise SpendError(name, f"is longer than {_MAX[name]} characters")
    return Spend(first, last, _amount(said.get("amount"), currency), currency, **words)


def read_spends(file: Iterable[str], usual: str | None) -> tuple[list[Spend], list[str]]:
    """The costs in a CSV file with a head, and what is wrong with it, by line."""
    lines = iter(file)
    head = next(lines, "")
    between = next((mark for mark in ("\t", ";") if mark in head), ",")
    names = [
        name.strip().lower().replace(" ", "_") for name in next(csv.reader([head], delimiter=between), [])
    ]
    problems = [
        f"1: there is no column `{name}`, {_hint(name)}" for name in names if name and name not in COLUMNS
    ]
    problems += [
        f"1: the column `{name}` is missing." for name in ("first_day", "amount") if name not in names
    ]
    if problems:
        return [], problems
    found: list[Spend] = []
    for number, row in enumerate(csv.reader(lines, delimiter=between), 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(found) == MOST_ROWS:
            return found, [*problems, f"{number}: more than {MOST_ROWS:,} rows: split the file."]
        try:
            found.append(read_spend(dict(zip(names, row, strict=False)), usual))
        except SpendError as error:
            problems.append(f"{number}: {error}.")
    return found, problems


def spent_by(connection: Connection, period: Period, by: By, currency: str | None) -> dict[str | None, int]:
    """What was paid for the days of the period, by source, channel or campaign, in minor units."""
    found: dict[str | None, int] = defaultdict(int)
    for row in list_spends(connection, period.first, period.last):
        if row.currency == currency:
            found[getattr(row, by)] += _within(row, period)
    return dict(found)


def spent_elsewhere(connection: Connection, period: Period, currency: str | None) -> list[str]:
    """What is said of costs in other currencies, which a report leaves out."""
    others = {row.currency for row in list_spends(connection, period.first, period.last)} - {currency}
    return [f"Costs in {one} left out: ask for the currency {one} to see them." for one in sorted(others)]


def _within(row: Row[Any], period: Period) -> int:
    first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    begin = first if period.first is None else max(first, period.first)
    days = (min(last, period.last) - begin).days + 1
    return share_of_days(row.amount, (begin - first).days, days, (last - first).days + 1) if days > 0 else 0


def _day(said: dict[str, Any], name: str) -> date:
    text = str(said.get(name) or "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SpendError(name, "is no day, such as 2026-03-31" if text else "is needed") from None


def _amount(said: Any, currency: str) -> int:
    try:
        amount = Decimal(str(said).strip().replace(" ", "").replace("\u00a0", ""))
        minor = amount.scaleb(get_currency_precision(currency))
    except ArithmeticError:
        raise SpendError("amount", "is no number, such as 1250.50") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise SpendError("amount", f"has more digits behind the point than {currency}")
    if not 0 <= minor <= MAX_MINOR:
        raise SpendError("amount", "is less than nothing, or more than can be kept")
    return int(minor)


def _hint(name: str) -> str:
    hint = did_you_mean(name, COLUMNS)
    return hint or f"there are {', '.join(COLUMNS)}."
