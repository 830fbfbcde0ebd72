"""A CSV file from anybody's spreadsheet: its encoding and delimiter found out, its rows read one at a time."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 20


class CsvError(Exception):
    """The file as a whole cannot be read; says why, and what to do."""


@dataclass(frozen=True)
class CsvFile:
    """What was found out about a file by reading it once."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int
    """Rows below the header that are not empty, those that cannot be read included."""
    digest: str
    """SHA-256 (hex) of its bytes."""


@dataclass(frozen=True)
class CsvRow:
    """A row and the line that it begins at; `problem` says why its cells cannot be read."""

    line: int
    cells: tuple[str, ...]
    problem: str | None = None


def look_at(path: Path, encoding: str | None = None, delimiter: str | None = None) -> CsvFile:
    """Read the whole file once, in little memory. Raises CsvError."""
    try:
        with path.open("rb") as file:
            encoding = _known(encoding) if encoding else _encoding(file.read(4096))
            file.seek(0)
            digest = _check(file, encoding)
    except OSError as error:
        raise CsvError(f"{path} cannot be read: {error.strerror}") from None
    with _text(path, encoding) as text:
        first = text.readline()
    if not first.strip():
        raise CsvError(f"{path} is empty: its first line must name the columns")
    delimiter = delimiter or _said(first) or _delimiter(first)
    unread = CsvFile(path, encoding, delimiter, (), 0, digest)
    lines = _lines(unread)
    head = next(lines, None)
    if head is None or head.problem:
        raise CsvError(f"{path}: the first line, which names the columns, cannot be read")
    header = tuple(cell.strip() for cell in head.cells)
    return CsvFile(path, encoding, delimiter, header, sum(1 for _ in lines), digest)


def read_rows(file: CsvFile) -> Iterator[CsvRow]:
    """The rows below the header, one at a time; those that cannot be read with what is wrong with them."""
    lines = _lines(file)
    next(lines)
    for row in lines:
        if any(cell.strip() for cell in row.cells[len(file.header) :]):
            yield CsvRow(
                row.line, row.cells, f"it has more than the {len(file.header)} cells of the first line"
            )
        elif any("\0" in cell for cell in row.cells):
            yield CsvRow(row.line, row.cells, "it holds a NUL character")
        else:
            yield row


def _lines(file: CsvFile) -> Iterator[CsvRow]:
    with _text(file.path, file.encoding) as text:
        skipped = 0
        if _said(text.readline()):
            skipped = 1
        else:
            text.seek(0)
        reader = csv.reader(text, delimiter=file.delimiter, strict=True)
        while True:
            line = reader.line_num + 1 + skipped
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield CsvRow(line, (), _words(error, line, reader.line_num + skipped))
                continue
            if any(cell.strip() for cell in cells):
                yield CsvRow(line, tuple(cells))


def _words(error: csv.Error, first: int, last: int) -> str:
    if "end of data" in str(error) or "field limit" in str(error):
        return f'a quote (") is opened and not closed: everything to line {last} was taken for one cell'
    if "expected after" in str(error):
        return 'a quote (") stands in the middle of a cell: write it twice'
    return f"it cannot be read ({error})" + (f", to line {last}" if last > first else "")


def _text(path: Path, encoding: str) -> IO[str]:
    return path.open(encoding=encoding, newline="")


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise CsvError(f"there is no encoding {encoding}: say, for example, windows-1251") from None


def _encoding(head: bytes) -> str:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if head[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\0" else "utf-8"


def _check(file: IO[bytes], encoding: str) -> str:
    """The digest of the file, once it is known that all of it is text in that encoding."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        piece = file.read(_PIECE)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeError as error:
            if isinstance(error, UnicodeDecodeError):
                line += error.object[: error.start].count(b"\n")
            name = "UTF-8" if encoding.startswith("utf-8") else encoding
            raise CsvError(
                f"line {line} is not {name}: save the file as UTF-8, or say its encoding,"
                " such as --encoding windows-1251"
            ) from None
        digest.update(piece)
        line += text.count("\n")
        if not piece:
            return digest.hexdigest()


def _said(first: str) -> str | None:
    """The delimiter that Excel's own first line `sep=;` says, if that is what this is."""
    first = first.strip("\r\n")
    return first[4:] if len(first) == 5 and first.lower().startswith("sep=") else None


def _delimiter(header: str) -> str:
    """The one that stands most often between the names of the columns, outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)
