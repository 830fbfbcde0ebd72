"""The command line. Exit codes: 0 done, 1 something of yours is wrong, 3 something of ours is, 130 interrupted."""

from __future__ import annotations

import sys

import typer

from dripline.cli import (
    backup,
    brake,
    check,
    doctor,
    explain,
    graph,
    held,
    inspect,
    journeys,
    lead,
    new,
    preview,
    publish,
    run,
    runs,
    schema,
    test,
    trying,
)

app = typer.Typer(
    name="dripline",
    help="Marketing journeys in YAML, run as durable workflows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _part in (
    check,
    new,
    schema,
    test,
    explain,
    graph,
    preview,
    trying,
    run,
    publish,
    journeys,
    lead,
    inspect,
    runs,
    held,
    brake,
    doctor,
    backup,
):
    _part.register(app)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
