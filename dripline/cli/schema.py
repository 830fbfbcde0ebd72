"""`dripline schema`: the JSON Schema of a kind of file, for editors."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dripline.cli.showing import write_out
from dripline.language.schema import Kind, as_text, schema_of


class File(StrEnum):
    """The kinds of files that have a schema."""

    JOURNEY = "journey"
    WORKSPACE = "workspace"
    SCENARIO = "scenario"
    BLOCK = "block"


_KINDS: dict[File, Kind] = {
    File.JOURNEY: "journey",
    File.WORKSPACE: "workspace",
    File.SCENARIO: "scenario",
    File.BLOCK: "block",
}


def register(app: typer.Typer) -> None:
    """Add `dripline schema`."""
    app.command()(schema)


def schema(
    kind: Annotated[File, typer.Argument(help="Which kind of file.")] = File.JOURNEY,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; without it, to the terminal.")
    ] = None,
) -> None:
    """Print the JSON Schema of journeys, scenarios or the workspace file, which editors complete by."""
    text = as_text(schema_of(_KINDS[kind]))
    if output is None:
        sys.stdout.write(text)
    else:
        write_out(output, text)
