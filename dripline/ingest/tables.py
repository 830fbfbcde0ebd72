"""A table of leads from anybody's spreadsheet, CSV or XLSX: what was found out about it, and its rows one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class TableError(Exception):
    """The file as a whole cannot be read; says why, and what to do."""


@dataclass(frozen=True)
class TableRow:
    """A row and the line that it begins at; `problem` says why its cells cannot be read."""

    line: int
    cells: tuple[str, ...]
    problem: str | None = None


class Table(Protocol):
    """A file that was looked at."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns."""

    @property
    def rows(self) -> int:
        """Rows below the header, as far as that is known without reading all of them."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its bytes."""

    @property
    def delimiter(self) -> str:
        """What a copy of it as CSV has between cells."""

    @property
    def told(self) -> str:
        """What kind of file it is, in words."""

    def read(self) -> Iterator[TableRow]:
        """The rows below the header, one at a time; those that cannot be read with what is wrong with them."""


def look_at(
    path: Path, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> Table:
    """Find out what kind of table a file is. Raises TableError."""
    from dripline.ingest import csv_file, xlsx_file

    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    if xlsx_file.is_workbook(head):
        return xlsx_file.look_at(path, sheet)
    return csv_file.look_at(path, encoding, delimiter)


def beyond(row: TableRow, header: tuple[str, ...]) -> TableRow:
    """The row, with what is wrong with it where it has cells without a column, or what no cell may hold."""
    if any(cell.strip() for cell in row.cells[len(header) :]):
        return TableRow(row.line, row.cells, f"it has more than the {len(header)} cells of the first line")
    for number, cell in enumerate(row.cells):
        if "\0" in cell:
            return TableRow(
                row.line, row.cells, f"column {number + 1} ({header[number]}) holds a NUL character"
            )
    return row


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
