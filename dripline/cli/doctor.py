"""`dripline doctor`: what is set up, what is missing, and how to mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from dripline.cli.asking import clean, read_settings
from dripline.cli.showing import Format, count, print_json

if TYPE_CHECKING:
    from dripline.doctor.findings import Finding
    from dripline.settings import Settings

_MARKS = {"well": ("✓", "green"), "note": ("·", "cyan"), "mend": ("✗", "bold red")}


def register(app: typer.Typer) -> None:
    """Add `dripline doctor`."""
    app.command("doctor")(doctor)


def doctor(
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Tell what is set up, what is missing, and how to mend it. Changes nothing, sends nothing.

    Ends with 0 where all is well, 1 where something is to be mended.
    """
    found = []
    for one in examine(read_settings()):
        found.append(one)
        if form is Format.text:
            _tell(one)
    to_mend = sum(one.verdict == "mend" for one in found)
    if form is Format.json:
        print_json([asdict(one) for one in found])
    else:
        typer.echo(f"\n{count(to_mend, 'thing')} to mend." if to_mend else "\nAll is well.")
    _leave(1 if to_mend else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every part in turn, as it is found to be."""
    from dripline.doctor import accounts, installation
    from dripline.doctor.running import examine_temporal, examine_web

    project, found = installation.examine_workspace(settings)
    yield from found
    parts: tuple[Callable[[], Iterable[Finding]], ...] = (
        lambda: installation.examine_settings(settings),
        lambda: installation.examine_store(settings, project),
        lambda: examine_web(settings),
        lambda: examine_temporal(settings),
        lambda: accounts.examine_sendgrid(settings),
        lambda: accounts.examine_twilio(settings),
        lambda: installation.examine_disk(settings),
    )
    for part in parts:
        yield from part()


def _tell(one: Finding) -> None:
    mark, style = _MARKS[one.verdict]
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        Text(f"{mark} ", style=style) + Text(f"{one.part:<10} ", style="bold") + Text(clean(one.text))
    )
    if one.cure:
        console.print(Text(f"             → {one.cure}", style="cyan"))


def _leave(code: int) -> NoReturn:
    """End without the interpreter's clean-up, in which a used Temporal client can crash (sdk-python issue 300)."""
    sys.stdout.flush()
    sys.stderr.flush()
    if "temporalio" in sys.modules:
        os._exit(code)
    raise typer.Exit(code)
