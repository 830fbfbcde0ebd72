"""A CSV file from anybody's spreadsheet: its encoding and delimiter found out, its rows read one at a time."""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dripline.ingest.tables import TableError, TableRow, beyond

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 20
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')


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

    @property
    def told(self) -> str:
        """What kind of file it is, in words."""
        between = DELIMITERS.get(self.delimiter, repr(self.delimiter))
        return f"{self.encoding.removesuffix('-sig').upper()}, cells separated by {between}"

    def read(self) -> Iterator[TableRow]:
        """The rows below the header, one at a time; those that cannot be read with what is wrong with them."""
        lines = _lines(self)
        next(lines)
        return (row if row.problem else beyond(row, self.header) for row in lines)


def look_at(path: Path, encoding: str | None = None, delimiter: str | None = None) -> CsvFile:
    """Read the whole file once, in little memory. Raises TableError."""
    try:
        with path.open("rb") as file:
            encoding = _known(encoding) if encoding else _encoding(file.read(4096))
            file.seek(0)
            digest = _check(file, encoding)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    with _text(path, encoding) as text:
        first = text.readline()
    if not first.strip():
        raise TableError(f"{path} is empty: its first line must name the columns")
    delimiter = delimiter or _said(first) or _delimiter(first)
    unread = CsvFile(path, encoding, delimiter, (), 0, digest)
    lines = _lines(unread)
    head = next(lines, None)
    if head is None or head.problem:
        raise TableError(f"{path}: the first line, which names the columns, cannot be read")
    header = tuple(cell.strip() for cell in head.cells)
    return CsvFile(path, encoding, delimiter, header, sum(1 for _ in lines), digest)


def _lines(file: CsvFile) -> Iterator[TableRow]:
    with _text(file.path, file.encoding) as text:
        skipped = 0
        if _said(text.readline()):
            skipped = 1
        else:
            text.seek(0)
        lines = _Lines(text)
        while True:
            lines.begin()
            first = lines.read + skipped + 1
            try:
                cells = next(csv.reader(lines, delimiter=file.delimiter, strict=True))
            except StopIteration:
                return
            except csv.Error as error:
                yield TableRow(first, (), _words(error, lines.taken[0], file))
                lines.put_back()
                continue
            if any(cell.strip() for cell in cells):
                yield TableRow(first, tuple(cells))


class _Lines(Iterator[str]):
    """The lines of a file, of which those of a record that cannot be read can be put back, but for its first.

    So a quote that is never closed costs its own line, and not all that follow.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._waiting: list[str] = []
        self.taken: list[str] = []
        self.read = 0

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else next(self._text)
        self.taken.append(line)
        self.read += 1
        return line

    def begin(self) -> None:
        """A record begins."""
        self.taken = []

    def put_back(self) -> None:
        """Give all lines of this record but the first again."""
        again = self.taken[1:]
        self._waiting += reversed(again)
        self.read -= len(again)


def _words(error: csv.Error, line: str, file: CsvFile) -> str:
    number = _quoted_cell(line, file.delimiter)
    name = f" ({file.header[number - 1]})" if number <= len(file.header) else ""
    where = f"in column {number}{name}"
    if "end of data" in str(error) or "field limit" in str(error):
        return f'a quote (") is opened and not closed {where}'
    if "expected after" in str(error):
        return f'a quote (") stands in the middle of a cell {where}: write it twice'
    return f"it cannot be read ({error})"


def _quoted_cell(line: str, delimiter: str) -> int:
    """The number of the first cell, counted from 1, whose quotes are not as they must be."""
    number, rest = 1, line.rstrip("\r\n")
    while delimiter in rest:
        quoted = _QUOTED.match(rest)
        if quoted is None and rest.startswith('"'):
            return number
        end = quoted.end() if quoted else rest.index(delimiter)
        if rest[end : end + 1] != delimiter:
            return number
        number, rest = number + 1, rest[end + 1 :]
    return number


def _text(path: Path, encoding: str) -> IO[str]:
    return path.open(encoding=encoding, newline="")


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise TableError(f"there is no encoding {encoding}: say, for example, windows-1251") from None


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
            raise TableError(
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
