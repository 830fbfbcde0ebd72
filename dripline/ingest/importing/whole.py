"""A whole file: read, imported a chunk at a time, counted, what is wrong handed to whoever tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from dripline.ingest.change import LeadChange
from dripline.ingest.columns import Columns
from dripline.ingest.importing.rows import Imported, Order, Rows, read_said
from dripline.ingest.refusal import Refused
from dripline.ingest.tables import Table, TableRow
from dripline.language.workspace import Workspace

CHUNK = 250
"""Rows in one transaction: few enough to hold other writers up for moments only."""

Keep = Callable[[Rows, Order], list[Imported]]
"""Keeps a chunk of rows in one transaction."""


@dataclass
class Import:
    """One going through of a file."""

    table: Table
    columns: Columns
    order: Order
    workspace: Workspace
    keep: Keep
    reject: Callable[[TableRow, str], None]
    """Is told of each row that is left out, and why."""
    advance: Callable[[int], None] = lambda _rows: None
    dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _made: set[int] = field(default_factory=set)

    def run(self) -> Counter[str]:
        """Import every row; how many became what."""
        rows = self.table.read()
        while chunk := list(islice(rows, CHUNK)):
            wrong: dict[int, str] = {}
            good = list(self._readable(chunk, wrong))
            changes = dict(good)
            for one in self.keep(good, self.order) if good else []:
                self.counts.update(self._kinds(one, changes[one.line]))
                if one.refusal:
                    wrong[one.line] = self.columns.reason(one.refusal)
            for row in chunk:
                if row.line in wrong:
                    self.counts["refused"] += 1
                    self.reject(row, wrong[row.line])
            self.advance(len(chunk))
        return self.counts

    def _readable(self, rows: list[TableRow], wrong: dict[int, str]) -> Iterator[tuple[int, LeadChange]]:
        for row in rows:
            if row.problem:
                wrong[row.line] = row.problem
                continue
            try:
                yield row.line, read_said(self.columns.said(row.cells), self.workspace)
            except Refused as refusal:
                wrong[row.line] = self.columns.reason(refusal)

    def _kinds(self, one: Imported, change: LeadChange) -> Iterator[str]:
        if one.refusal is not None:
            return
        yield "again" if self._repeats(one, change) else one.what
        if one.incomplete and one.what == "created":
            yield "incomplete"
        if one.kept_no:
            yield "kept-no"
        if one.enrolled:
            yield "enrolled"
        if one.not_enrolled:
            yield f"not-enrolled: {one.not_enrolled}"

    def _repeats(self, one: Imported, change: LeadChange) -> bool:
        """Whether the lead that is new to a dry run, which keeps nothing, is one that an earlier row has made."""
        if not self.dry_run or one.what != "created":
            return False
        names = {hash(identity) for identity in change.identities}
        known = not self._made.isdisjoint(names)
        self._made |= names
        return known
