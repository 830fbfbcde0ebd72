"""Who was erased, by ids alone, beside the store: a backup from before knows nothing of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from dripline.store.database import Store
from dripline.store.schema import leads

log = structlog.get_logger(__name__)

FILE = "erased.log"
"""The journal's name in the folder of the embedded parts."""


class Journal:
    """A file that is only added to: a line for each erasure, with its time and our ids of the leads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def note(self, lead_ids: Sequence[str], at: datetime) -> None:
        """Add a line, and see it to the disk. The store has it already: without the file nothing is undone."""
        line = f"{at.isoformat()} {' '.join(lead_ids)}\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as problem:
            log.warning("the journal of erasures cannot be written", error=type(problem).__name__)

    def read(self) -> list[str]:
        """The ids of everybody erased; none where there is no file."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return [lead_id for line in lines for lead_id in line.split()[1:]]


def erased_in(store: Store) -> list[str]:
    """The ids of the leads that this store has erased; none where it cannot be read."""
    try:
        with store.read() as connection:
            return list(
                connection.execute(select(leads.c.id).where(leads.c.erased_at.is_not(None))).scalars()
            )
    except SQLAlchemyError:
        return []


def all_of(*sources: Iterable[str]) -> list[str]:
    """Each id once, in the order in which they are found."""
    return list(dict.fromkeys(lead_id for source in sources for lead_id in source))
