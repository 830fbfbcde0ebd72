"""A transaction, tried again where the database asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dripline.store.database import Store

T = TypeVar("T")

_TRIES = 3
"""Times that a transaction is tried that PostgreSQL ended to undo a deadlock."""

_TRY_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization_failure, deadlock_detected


def transaction(store: Store, do: Callable[[Connection], T]) -> T:
    """What `do` answers, in a transaction that is written when it returns."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with store.write() as connection:
                return do(connection)
        except DBAPIError as error:
            if not tries_left or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
    raise AssertionError("the last try returns or raises")
