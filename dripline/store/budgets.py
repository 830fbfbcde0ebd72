"""Budgets: what the discounts of a campaign may come to, may still come to, and have come to. Never exceeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from dripline.language.money import to_major
from dripline.language.plan import Budget
from dripline.store.database import insert_into
from dripline.store.schema import budgets


@dataclass(frozen=True)
class Account:
    """How a budget stands. Amounts are in major units of `currency` (ISO 4217)."""

    budget: str
    currency: str | None
    amount: int | float | None
    """None: any."""
    spent: int | float | None
    committed: int | float | None
    """What open codes may still come to."""
    issued: int
    codes: int | None
    """How many may be issued; None: any number."""
    exhausted: bool
    """It issues no code any more, unless an open one is taken back."""


def set_budgets(connection: Connection, wanted: Mapping[str, Budget]) -> None:
    """Let these budgets be as a plan says; what was issued and spent stays."""
    for name, budget in sorted(wanted.items()):
        values = {"amount": budget.amount, "currency": budget.currency, "codes": budget.codes}
        statement = insert_into(connection, budgets).values(name=name, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def commit(connection: Connection, name: str, minor: int) -> bool:
    """Count a code that may come to so much; False, and nothing is counted, where that is more than is left."""
    left = or_(
        budgets.c.amount.is_(None),
        (budgets.c.spent + budgets.c.committed + minor <= budgets.c.amount)
        & (budgets.c.spent + budgets.c.committed < budgets.c.amount),
    )
    done = connection.execute(
        update(budgets)
        .where(
            budgets.c.name == name, left, or_(budgets.c.codes.is_(None), budgets.c.issued < budgets.c.codes)
        )
        .values(committed=budgets.c.committed + minor, issued=budgets.c.issued + 1)
    )
    return done.rowcount == 1


def spend(connection: Connection, name: str, minor: int, committed: int) -> bool:
    """Count what really came off, in the place of what was committed; False where that is more than is left."""
    done = connection.execute(
        update(budgets)
        .where(
            budgets.c.name == name,
            or_(
                budgets.c.amount.is_(None),
                budgets.c.spent + budgets.c.committed - committed + minor <= budgets.c.amount,
            ),
        )
        .values(spent=budgets.c.spent + minor, committed=budgets.c.committed - committed)
    )
    return done.rowcount == 1


def give_back(connection: Connection, name: str, committed: int, *, code: bool = False) -> None:
    """A code will never come to what it might have; `code`: nor does it count as issued any more."""
    connection.execute(
        update(budgets)
        .where(budgets.c.name == name)
        .values(committed=budgets.c.committed - committed, issued=budgets.c.issued - (1 if code else 0))
    )


def all_budgets(connection: Connection) -> list[Row[Any]]:
    """Every budget, by name."""
    return list(connection.execute(select(budgets).order_by(budgets.c.name)))


def accounts(connection: Connection) -> list[Account]:
    """How every budget stands, by name."""

    def said(row: Row[Any], minor: int | None) -> int | float | None:
        return None if minor is None or row.currency is None else to_major(minor, row.currency)

    return [
        Account(
            row.name,
            row.currency,
            said(row, row.amount),
            said(row, row.spent),
            said(row, row.committed),
            row.issued,
            row.codes,
            (row.codes is not None and row.issued >= row.codes)
            or (row.amount is not None and row.spent + row.committed >= row.amount),
        )
        for row in all_budgets(connection)
    ]
