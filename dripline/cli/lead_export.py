"""`dripline lead export`: everything that is kept of a lead, in a file for the lead."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dripline.cli.asking import WHO, refuse
from dripline.cli.opening import opened
from dripline.clock import machine_clock


def export_lead(
    lead: Annotated[str, typer.Argument(help=WHO)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .zip file (a page, the messages, the JSON), or a .json file."),
    ] = None,
) -> None:
    """Write everything that is kept of a lead to a file: profile, consents with proof, events, journeys, messages.

    Leads that were merged into it are told as well. The file is for your eyes alone, until you hand it on.
    """
    from dripline.privacy.exporting import export
    from dripline.privacy.readable import as_json, as_zip
    from dripline.store.house import open_house

    with opened() as house:
        secret = house.settings.secret.get_secret_value() if house.settings.secret else None
        with house.store.read() as connection:
            row = house.lead(connection, lead)
            ours = open_house(connection, secret)
            found = export(connection, ours, row, house.clock, house.zone, machine_clock())
    path = output or Path(f"lead-{found['lead']}.zip")
    if path.suffix not in (".zip", ".json"):
        refuse("-o is a file that ends in .zip or .json.")
    _write(path, as_json(found) if path.suffix == ".json" else as_zip(found))
    typer.echo(f"Wrote {path}. It holds everything of this lead: hand it to nobody else.")


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        refuse(f"{path} cannot be written: {problem.strerror}.")
