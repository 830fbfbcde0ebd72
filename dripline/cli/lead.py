"""`dripline lead import`: leads from a CSV file, of any spreadsheet."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dripline.cli.asking import refuse
from dripline.cli.lead_export import export_lead
from dripline.cli.lead_list import list_leads
from dripline.cli.merging import add_merging
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import count
from dripline.cli.tracking import set_tracking

if TYPE_CHECKING:
    from dripline.ingest.change import LeadChange
    from dripline.ingest.columns import Columns
    from dripline.ingest.csv_file import CsvFile, CsvRow
    from dripline.ingest.importing import Imported, Order

_CHUNK = 100
_TOLD = 20
"""Bad rows that are told one by one; all of them are in the file of the rejected."""


def register(app: typer.Typer) -> None:
    """Add `dripline lead …`."""
    lead = typer.Typer(
        help="Take in leads, list them, make one of those that are one person, hand out what is kept.",
        no_args_is_help=True,
    )
    lead.callback()(_lead)
    lead.command("import")(import_leads)
    lead.command("list")(list_leads)
    lead.command("export")(export_lead)
    lead.command("tracking")(set_tracking)
    add_merging(lead)
    app.add_typer(lead, name="lead")


def _lead() -> None:
    """Take in leads, list them, make one of those that are one person, hand out what is kept."""


def import_leads(
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line names the columns.")],
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
    delimiter: Annotated[
        str | None, typer.Option(help="What stands between cells, where it is not found out rightly.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Import leads from a CSV file, as history: it starts no journey and sends nothing, unless you say --enrol.

    Columns are found by their names: external_id, email, phone, locale …, attributes of the workspace, topics.NAME.
    An empty cell leaves things as they are. Rows that are wrong are told by line and left out, and written
    to FILE.rejected.csv, each with its reason. Importing a file again changes nothing.
    """
    from dripline.ingest.columns import ColumnError, map_columns
    from dripline.ingest.csv_file import CsvError, look_at
    from dripline.ingest.importing import Order

    grant = _channels(consent)
    if delimiter is not None and len(delimiter) != 1:
        refuse("--delimiter is one character.")
    with opened(to_change=True) as house:
        try:
            found = look_at(file, encoding, delimiter)
            columns = map_columns(
                found.header, house.workspace, _mapping(mapped or []), ignore_rest=ignore_rest
            )
        except CsvError as error:
            refuse(f"{error}.")
        except ColumnError as error:
            refuse(
                f"{error}\n--map COLUMN=FIELD says what a column is; --ignore-rest leaves out what is no field."
            )
        _tell_columns(found, columns, grant)
        if journey is not None:
            _may_enrol(house, journey, found.rows, yes=yes or dry_run)
        order = Order(grant, journey, found.digest)
        counts = _import(house, found, columns, order, dry_run=dry_run)
    _tell(counts, order, file, dry_run=dry_run)


def _import(house: Opened, file: CsvFile, columns: Columns, order: Order, *, dry_run: bool) -> Counter[str]:
    from dripline.ingest.csv_file import read_rows
    from dripline.ingest.service import Ingest

    ingest = Ingest(house.store, house.workspace)
    counts: Counter[str] = Counter()
    rows = read_rows(file)
    with _rejects(file) as rejects, _bar() as bar:
        task = bar.add_task("Importing", total=file.rows)
        while chunk := list(islice(rows, _CHUNK)):
            wrong: dict[int, str] = {}
            good = list(_readable(house, columns, chunk, wrong))
            for one in ingest.import_leads(good, order, dry_run=dry_run) if good else []:
                counts.update(_kinds(one))
                if one.refusal:
                    wrong[one.line] = columns.reason(one.refusal)
            for row in chunk:
                if row.line in wrong:
                    rejects.add(row, wrong[row.line])
            bar.advance(task, len(chunk))
        counts["refused"] = rejects.number
    return counts


def _readable(
    house: Opened, columns: Columns, rows: list[CsvRow], wrong: dict[int, str]
) -> Iterator[tuple[int, LeadChange]]:
    from dripline.ingest.importing import read_said
    from dripline.ingest.refusal import Refused

    for row in rows:
        if row.problem:
            wrong[row.line] = row.problem
            continue
        try:
            yield row.line, read_said(columns.said(row.cells), house.workspace)
        except Refused as refusal:
            wrong[row.line] = columns.reason(refusal)


def _kinds(one: Imported) -> Iterator[str]:
    if one.refusal is None:
        yield one.what
    if one.kept_no:
        yield "kept-no"
    if one.enrolled:
        yield "enrolled"
    if one.not_enrolled:
        yield f"not-enrolled: {one.not_enrolled}"


class _Rejects:
    """Tells bad rows, and writes them to a file of their own, which is made with the first of them."""

    def __init__(self, file: CsvFile) -> None:
        self._file = file
        self.path = file.path.with_suffix(".rejected.csv")
        self.number = 0
        self._open: Any = None
        self._writer: Any = None

    def add(self, row: CsvRow, reason: str) -> None:
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
def _rejects(file: CsvFile) -> Iterator[_Rejects]:
    rejects = _Rejects(file)
    try:
        yield rejects
    finally:
        rejects.close()


def _bar() -> Progress:
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*parts, console=Console(stderr=True), transient=True)


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


def _tell_columns(file: CsvFile, columns: Columns, grant: tuple[str, ...]) -> None:
    from dripline.ingest.csv_file import DELIMITERS

    between = DELIMITERS.get(file.delimiter, repr(file.delimiter))
    encoding = file.encoding.removesuffix("-sig").upper()
    typer.echo(f"{file.path}: {count(file.rows, 'row')}, {encoding}, cells separated by {between}.")
    pairs = zip(columns.header, columns.fields, strict=True)
    typer.echo("  " + ", ".join(f"{name} → {field or '(left out)'}" for name, field in pairs if name))
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
    typer.echo(("Nothing was changed; it would be: " if dry_run else "Imported: ") + ", ".join(parts) + ".")
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
