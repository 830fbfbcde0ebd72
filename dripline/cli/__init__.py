"""The command line. Exit codes: 0 done, 1 something of yours is wrong, 3 something of ours is, 130 interrupted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dripline import __version__
from dripline.cli import (
    audit,
    backup,
    brake,
    campaign,
    check,
    discount,
    doctor,
    erase,
    explain,
    form,
    graph,
    held,
    inspect,
    journeys,
    key,
    lead,
    new,
    person,
    preview,
    product,
    publish,
    referral,
    report,
    retention,
    run,
    runs,
    schema,
    score,
    segment,
    simulate,
    spend,
    strays,
    suppressing,
    survey,
    task,
    test,
    trying,
    user,
)

app = typer.Typer(
    name="dripline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"Dripline {__version__}")
        raise typer.Exit


_PANELS = {
    "Write journeys": (new, check, schema, test, simulate, explain, graph, preview, form, trying),
    "Run them": (run, publish, journeys, campaign, brake),
    "Look after leads": (
        lead,
        person,
        task,
        score,
        inspect,
        runs,
        held,
        suppressing,
        strays,
        segment,
        discount,
        referral,
        survey,
        product,
        erase,
    ),
    "See what it earns": (report, spend),
    "Look after the installation": (doctor, backup, retention, user, key, audit),
}
"""What each file's commands are for, as the help shows them."""

for _panel, _parts in _PANELS.items():
    _known = len(app.registered_commands), len(app.registered_groups)
    for _part in _parts:
        _part.register(app)
    for _command in app.registered_commands[_known[0] :]:
        _command.rich_help_panel = _panel
    for _group in app.registered_groups[_known[1] :]:
        _group.rich_help_panel = _panel


@app.callback()
def _dripline(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    """Marketing journeys in YAML, run as durable workflows."""


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
