"""An import in the store: begun, gone on with after a crash, finished, and taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.columns import Columns
from dripline.ingest.importing.rows import Order
from dripline.ingest.importing.undoing import Undone, UndoOrder, undo_chunk
from dripline.ingest.tables import Table
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.imports import (
    add_import,
    find_imports,
    finish_import,
    undo_import,
    unfinished_import,
)


@dataclass(frozen=True)
class Begun:
    """An import under way; `again` where a start before this one did not come to its end."""

    id: str
    again: bool


class Imports:
    """The log of imports. Blocking."""

    def __init__(self, store: Store, machine: MachineClock = machine_clock) -> None:
        self._store = store
        self._machine = machine

    def begin(self, name: str, table: Table, columns: Columns, order: Order) -> Begun:
        """Begin to import a file, or go on where a crash has ended an import of the same."""
        mapping = {
            "columns": {
                name: field for name, field in zip(columns.header, columns.fields, strict=True) if name
            },
            "grant": list(order.grant),
            "journey": order.journey,
        }
        with self._store.write() as connection:
            again = unfinished_import(connection, table.digest, mapping)
            if again is not None:
                return Begun(again, True)
            import_id = str(uuid_utils.uuid7())
            values = {"id": import_id, "at": self._now(connection), "by": order.by, "file": name[:256]}
            add_import(connection, {**values, "digest": table.digest, "mapping": mapping, "counts": {}})
        return Begun(import_id, False)

    def finish(self, import_id: str, counts: Mapping[str, int], by: str | None) -> None:
        """All rows were looked at."""
        with self._store.write() as connection:
            finish_import(connection, import_id, counts, self._now(connection))
            record_act(connection, "import", by, None, self._machine(), id=import_id, rows=dict(counts))

    def find(self, start: str) -> list[Row[Any]]:
        """The imports that may be meant by the beginning or the end of an id."""
        with self._store.read() as connection:
            return find_imports(connection, start)

    def undo(
        self, row: Row[Any], by: str | None, tell: Callable[[Undone], None], *, dry_run: bool = False
    ) -> Counter[str]:
        """Take an import back; how many rows met which fate. Started again after a crash, it finishes."""
        fates: Counter[str] = Counter()
        for done in self._undone(row, by, dry_run):
            fates[done.fate] += 1
            tell(done)
        if not dry_run:
            counts = {**row.counts, **{f"undo {fate}": number for fate, number in fates.items()}}
            with self._store.write() as connection:
                undo_import(connection, row.id, counts, self._now(connection), by)
                record_act(connection, "undo-import", by, None, self._machine(), id=row.id, rows=dict(fates))
        return fates

    def _undone(self, row: Row[Any], by: str | None, dry_run: bool) -> Iterator[Undone]:
        before: int | None = None
        while True:
            with self._store.write() as connection, connection.begin_nested() as trial:
                order = UndoOrder(row.id, row.digest, by, self._now(connection), self._machine())
                done = undo_chunk(connection, order, before)
                if dry_run:
                    trial.rollback()
            if not done:
                return
            yield from done
            before = done[-1].line

    def _now(self, connection: Connection) -> datetime:
        return open_house(connection).clock.to_house(self._machine())
