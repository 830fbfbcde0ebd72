"""`dripline lead import`: leads from a CSV or XLSX file, of any spreadsheet."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dripline.cli.asking import clean, refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import count

if TYPE_CHECKING:
    from dripline.ingest.columns import Columns
    from dripline.ingest.importing.rows import Order
    from dripline.ingest.tables import Table, TableRow

_TOLD = 20
"""Bad rows that are told one by one; all of them are in the file of the rejected."""


def import_leads(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file; its first line names the columns.")],
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Which field a column is; `COLUMN=` leaves it out. May be repeated.",
        ),
    ] = None,
    ignore_rest: Annotated[
        bool, typer.Option("--ignore-rest", help="Leave out every column that is no field.")
    ] = False,
    consent: Annotated[
        str | None,
        typer.Option(help="The leads of this file agreed to messages by: email, sms, or email,sms."),
    ] = None,
    journey: Annotated[
        str | None, typer.Option("--enrol", metavar="JOURNEY", help="Put every lead into this journey now.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would become of it.")] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file, where it is not Unicode: windows-1251.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Of a workbook, where it is not the first: its name.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What stands between cells, where it is not found out rightly.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Import leads from a CSV or XLSX file, as history: it starts no journey and sends nothing without --enrol.

    Columns are found by their names: external_id, email, phone, locale …, attributes of the workspace, topics.NAME.
    An empty cell leaves things as they are. Rows that are wrong are told by line and left out, and written
    to FILE.rejected.csv, each with its reason. Importing a file again changes nothing.
    """
    from dripline.ingest.columns import ColumnError, map_columns
    from dripline.ingest.importing.rows import Order
    from dripline.ingest.tables import TableError, look_at

    grant = _channels(consent)
    if delimiter is not None and len(delimiter) != 1:
        refuse("--delimiter is one character.")
    with opened(to_change=True) as house:
        try:
            found = look_at(file, encoding, delimiter, sheet)
            columns = map_columns(
                found.header, house.workspace, _mapping(mapped or []), ignore_rest=ignore_rest
            )
        except TableError as error:
            refuse(f"{error}.")
        except ColumnError as error:
            refuse(
                f"{error}\n--map COLUMN=FIELD says what a column is; --ignore-rest leaves out what is no field."
            )
        _tell_columns(found, columns, grant)
        if journey is not None:
            _may_enrol(house, journey, found.rows, yes=yes or dry_run)
        order = Order(grant, journey, found.digest, who())
        counts = _import(house, found, columns, order, dry_run=dry_run)
    _tell(counts, order, file, dry_run=dry_run)


def _import(house: Opened, table: Table, columns: Columns, order: Order, *, dry_run: bool) -> Counter[str]:
    from dripline.ingest.importing.keeping import Imports
    from dripline.ingest.importing.whole import Import
    from dripline.ingest.service import Ingest
    from dripline.ingest.tables import TableError

    imports = Imports(house.store)
    begun = None if dry_run else imports.begin(table.path.name, table, columns, order)
    if begun is not None and begun.again:
        typer.echo("  Goes on with an import of this file that did not come to its end.")
    ingest = Ingest(house.store, house.workspace)
    keep = partial(ingest.import_leads, import_id=begun.id if begun else None, dry_run=dry_run)
    try:
        with _rejects(table) as rejects, _advancing(table) as advance:
            job = Import(table, columns, order, house.workspace, keep, rejects.add, advance, dry_run)
            counts = job.run()
    except TableError as error:
        refuse(f"{error}.")
    if begun is not None:
        imports.finish(begun.id, counts, order.by)
        typer.echo(f"Import {begun.id[-8:]}: `dripline lead undo-import {begun.id[-8:]}` takes it back.")
    return counts


class _Rejects:
    """Tells bad rows, and writes them to a file of their own, which is made with the first of them."""

    def __init__(self, file: Table) -> None:
        self._file = file
        self.path = file.path.with_suffix(".rejected.csv")
        self.number = 0
        self._open: Any = None
        self._writer: Any = None

    def add(self, row: TableRow, reason: str) -> None:
        """Leave out a row."""
        self.number += 1
        if self.number <= _TOLD:
            typer.echo(f"{self._file.path}:{row.line}: {reason}", err=True)
        elif self.number == _TOLD + 1:
            typer.echo(f"… more of them in {self.path}", err=True)
        if self._writer is None:
            # For nobody else's eyes, as it holds people's addresses; the mark is for spreadsheets.
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._open = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._open, delimiter=self._file.delimiter)
            self._writer.writerow(["rejected_line", "rejected_reason", *self._file.header])
        self._writer.writerow([row.line, reason, *row.cells])

    def close(self) -> None:
        """Finish the file."""
        if self._open is not None:
            self._open.close()


@contextmanager
def _rejects(file: Table) -> Iterator[_Rejects]:
    rejects = _Rejects(file)
    try:
        yield rejects
    finally:
        rejects.close()


@contextmanager
def _advancing(table: Table) -> Iterator[Callable[[int], None]]:
    """What tells a bar on the screen how many rows are done."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Importing", total=table.rows or None)
        yield lambda rows: bar.advance(task, rows)


def _channels(text: str | None) -> tuple[str, ...]:
    from dripline.ingest.columns import CHANNELS

    channels = tuple(part.strip() for part in text.split(",")) if text is not None else ()
    if any(channel not in CHANNELS for channel in channels):
        refuse("--consent is email, sms, or email,sms.")
    return channels


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals:
            refuse("--map is written COLUMN=FIELD, such as --map 'E-mail of lead=email'.")
        mapping[column.strip()] = field.strip()
    return mapping


def _tell_columns(file: Table, columns: Columns, grant: tuple[str, ...]) -> None:
    typer.echo(f"{file.path}: {count(file.rows, 'row')}, {clean(file.told)}.")
    pairs = zip(columns.header, columns.fields, strict=True)
    typer.echo(clean("  " + ", ".join(f"{name} → {field or '(left out)'}" for name, field in pairs if name)))
    if grant:
        typer.echo(f"  Every lead agrees to {' and '.join(grant)}, as you say; who has said no keeps that.")
    elif not any((field or "").startswith("consent.") for field in columns.fields):
        typer.echo("  No consent is recorded: they get no marketing messages until there is (see --consent).")


def _may_enrol(house: Opened, journey: str, rows: int, *, yes: bool) -> None:
    from dripline.language.problems import did_you_mean
    from dripline.store.plans import published

    with house.store.read() as connection:
        known = {one.plan.journey: one for one in published(connection)}
    if journey not in known:
        hint = did_you_mean(journey, known)
        refuse(f"No journey {journey} has been published" + (f": {hint}" if hint else "."))
    if known[journey].paused:
        refuse(f"Journey {journey} is paused: `dripline resume {journey}` first.")
    question = (
        f"Enrol up to {count(rows, 'lead')} in journey {journey}? Its first messages may leave at once."
    )
    if not yes and not typer.confirm(question, default=False):
        refuse("Nothing was done.")


def _tell(counts: Counter[str], order: Order, file: Path, *, dry_run: bool) -> None:
    parts = [
        f"{counts['created']:,} new",
        f"{counts['changed']:,} changed",
        f"{counts['same']:,} as they were",
    ]
    if counts["again"]:
        parts.append(f"{counts['again']:,} more rows of those that are new")
    typer.echo(("Nothing was changed; it would be: " if dry_run else "Imported: ") + ", ".join(parts) + ".")
    if counts["incomplete"]:
        typer.echo(
            f"Of the new ones {counts['incomplete']:,} lack a person who can be reached:"
            " see `dripline lead list --incomplete`."
        )
    if counts["kept-no"]:
        typer.echo(f"{count(counts['kept-no'], 'lead')} had said no to a channel, and keep that.")
    if order.journey:
        typer.echo(f"Enrolled in {order.journey}: {counts['enrolled']:,}.")
    for kind, number in counts.items():
        if kind.startswith("not-enrolled: "):
            typer.echo(f"Not enrolled: {number:,}. {kind.removeprefix('not-enrolled: ')}")
    if counts["refused"]:
        rejected = file.with_suffix(".rejected.csv")
        refuse(f"Left out: {count(counts['refused'], 'row')}, each with its reason in {rejected}.")
