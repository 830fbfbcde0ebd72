"""How commands show things: tables for people, JSON for programs, whatever leads wrote made harmless."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dripline.cli.asking import clean, refuse


class Format(StrEnum):
    """How to tell it."""

    text = "text"
    json = "json"


def new_table(first: str, *others: str) -> Table:
    """A table with these columns."""
    table = Table()
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def add(table: Table, *cells: str) -> None:
    """Add a row of plain texts: square brackets in them are no markup."""
    table.add_row(*(Text(clean(cell)) for cell in cells))


def print_table(table: Table, nothing: str) -> None:
    """Print the table, or `nothing` where it has no row."""
    if not table.row_count:
        typer.echo(nothing)
        return
    console = Console()
    if not console.is_terminal:
        console.width = 200  # nobody's window: let lines be long
    console.print(table)


def print_json(value: Any) -> None:
    """Print JSON; times in ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def write_out(path: Path, content: str | bytes) -> None:
    """Write a file, with the folders above it; or end the command with why it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as problem:
        refuse(f"{path} cannot be written: {problem.strerror}.")


def count(number: int, noun: str) -> str:
    """`1 message`, `2,000 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
