"""A workbook (XLSX) as a table of texts, read a row at a time, never trusted to be what it says."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from dripline.ingest.tables import TableError, TableRow, beyond, digest_of
from dripline.language.problems import did_you_mean, listed

MAX_UNPACKED = 1 << 30
"""Bytes that all parts together may have when unpacked."""
MAX_TEXTS = 200 << 20
"""Bytes of the list of texts, which is the one part that is held in memory."""
MAX_RATIO = 500
"""How many times smaller than its content the file may be: spreadsheets pack 10 to 30 times."""
MAX_COLUMNS = 1_000
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_TEXTS = "xl/sharedStrings.xml"


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is a workbook, or wants to be one."""
    return head.startswith((_ZIP, _OLE))


@dataclass(frozen=True)
class XlsxFile:
    """What was found out about a sheet."""

    path: Path
    sheet: str
    header: tuple[str, ...]
    header_line: int
    rows: int
    digest: str
    delimiter: str = ","

    @property
    def told(self) -> str:
        """What kind of file it is, in words."""
        return f"XLSX, sheet {self.sheet}"

    def read(self) -> Iterator[TableRow]:
        """The rows below the header that are not empty."""
        with _opened(self.path) as book:
            sheet = book[self.sheet]
            sheet.reset_dimensions()  # some programs write wrong ones
            rows = sheet.iter_rows(min_row=self.header_line + 1, max_col=MAX_COLUMNS, values_only=True)
            for line, values in enumerate(rows, self.header_line + 1):
                cells = tuple(_text(value) for value in values)
                if any(cells):
                    yield beyond(TableRow(line, _trimmed(cells, len(self.header))), self.header)


def look_at(path: Path, sheet: str | None = None) -> XlsxFile:
    """Find the sheet and its columns. Raises TableError."""
    _refuse_bombs(path)
    with _opened(path) as book:
        names = [one.title for one in book.worksheets]
        if not names:
            raise TableError(f"{path} has no sheet with cells")
        if sheet is not None and sheet not in names:
            hint = did_you_mean(sheet, names) or f"there are {listed(names)}"
            raise TableError(f"{path} has no sheet {sheet}: {hint}")
        name = sheet or next((one.title for one in book.worksheets if one.sheet_state == "visible"), names[0])
        chosen = book[name]
        rows = chosen.max_row or 0
        chosen.reset_dimensions()
        lines = chosen.iter_rows(max_row=100, max_col=MAX_COLUMNS, values_only=True)
        for line, values in enumerate(lines, 1):
            cells = _trimmed(tuple(_text(value).strip() for value in values), 0)
            if cells:
                return XlsxFile(path, name, cells, line, max(rows - line, 0), digest_of(path))
    raise TableError(f"{path}: the sheet {name} is empty: its first line must name the columns")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that do not concern us
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except (TableError, GeneratorExit):
        raise
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise _broken(path) from error
    except (SyntaxError, IndexError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise _broken(path) from error  # SyntaxError: XML that is none


def _broken(path: Path) -> TableError:
    return TableError(f"{path} is damaged, or no workbook: open it and save it as .xlsx again, or as CSV")


def _refuse_bombs(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise TableError(
                f"{path} is protected by a password, or an old .xls: save it as .xlsx without a password"
            )
    try:
        with zipfile.ZipFile(path) as parts:
            infos = parts.infolist()
            unpacked = sum(info.file_size for info in infos)
            texts = sum(info.file_size for info in infos if info.filename == _TEXTS)
            too_large = unpacked > MAX_UNPACKED or texts > MAX_TEXTS
            if too_large or unpacked > MAX_RATIO * max(path.stat().st_size, 10_000):
                raise TableError(f"{path} holds too much when it is unpacked: save it as CSV, or in parts")
            for info in infos:
                if info.filename.endswith((".xml", ".rels")):
                    with parts.open(info) as part:
                        if b"<!" in part.read(1024).replace(b"<!--", b""):
                            raise _broken(path)  # a document type may grow without end when it is read
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _broken(path) from error


def _text(value: Any) -> str:
    """A cell as a person reads it: whole numbers without a point, days without a time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _trimmed(cells: tuple[str, ...], least: int) -> tuple[str, ...]:
    """Without the empty cells at the end, which are there in any number."""
    last = max((number for number, cell in enumerate(cells, 1) if cell), default=0)
    return tuple(islice(cells, max(last, min(least, len(cells)))))
