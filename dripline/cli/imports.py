"""`dripline lead imports`, `lead undo-import`: what was imported, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table

if TYPE_CHECKING:
    from dripline.ingest.importing.undoing import Undone

_TOLD = 20
"""Rows that are told one by one."""


def list_imports(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """List the files that were imported, newest first: when, by whom, and what became of their rows."""
    from dripline.store.imports import import_list

    with opened() as house:
        with house.store.read() as connection:
            rows = import_list(connection, limit)
        if form is Format.json:
            print_json([{**row._mapping} for row in rows])
            return
        table = new_table("Import", "When", "By", "File", "Rows", "State")
        for row in rows:
            counts = [f"{number:,} {what}" for what, number in row.counts.items() if ":" not in what]
            state = "not finished" if row.finished_at is None else "done"
            if row.undone_at is not None:
                state = f"undone {house.minute(row.undone_at)} by {row.undone_by or 'unknown'}"
            cells = (row.id[-8:], house.minute(row.at), row.by or "", row.file, ", ".join(counts), state)
            add(table, *cells)
    print_table(table, "Nothing was imported yet.")


def undo(
    which: Annotated[str, typer.Argument(metavar="ID", help="The import, as `lead imports` shows it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would become of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take an import back: leads that it made and that did nothing since are removed, its changes are put back.

    What was changed since stays, and so does a lead to whom something has happened; consent that the import gave
    is withdrawn. What cannot be undone is told by line, with the reason.
    """
    from dripline.ingest.importing.keeping import Imports
    from dripline.ingest.importing.undoing import WORDS
    from dripline.store.imports import count_rows

    with opened(to_change=True) as house:
        imports = Imports(house.store)
        row = _found(house, imports, which)
        with house.store.read() as connection:
            counts = count_rows(connection, row.id)
        made, changed = counts.get("created", 0), counts.get("changed", 0)
        if not dry_run:
            question = f"Take back {row.file}, with {count(made, 'new lead')} and {count(changed, 'change')}?"
            if not yes and not typer.confirm(question, default=False):
                refuse("Nothing was done.")
        telling = _Telling(WORDS)
        fates = imports.undo(row, who(), telling.tell, dry_run=dry_run)
    said = f"{fates['removed']:,} removed, {fates['restored'] + fates['partly']:,} put back"
    typer.echo(("Nothing was changed; it would be: " if dry_run else "Undone: ") + said + ".")
    for fate, words in WORDS.items():
        if fates[fate]:
            typer.echo(f"{count(fates[fate], 'row')}: {words}.")


def _found(house: Opened, imports: Any, which: str) -> Any:
    found = imports.find(which) if len(which) >= 4 else []
    if len(found) != 1:
        refuse(
            "There is no such import: see `dripline lead imports`." if not found else "Give more of the id."
        )
    if found[0].undone_at is not None:
        refuse(f"This import was undone on {house.minute(found[0].undone_at)}.")
    return found[0]


class _Telling:
    """Tells rows that cannot be undone, the first of them one by one."""

    def __init__(self, words: Any) -> None:
        self._words = words
        self._number = 0

    def tell(self, done: Undone) -> None:
        """Say it, where something stays."""
        if done.fate not in self._words:
            return
        self._number += 1
        if self._number <= _TOLD:
            names = f" ({', '.join(done.kept)})" if done.kept else ""
            typer.echo(f"line {done.line}: {self._words[done.fate]}{names}", err=True)
        elif self._number == _TOLD + 1:
            typer.echo("… and more", err=True)
