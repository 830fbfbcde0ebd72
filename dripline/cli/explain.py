"""`dripline explain`: a journey in plain sentences."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dripline.cli.asking import clean, refuse
from dripline.cli.check import workspace_of
from dripline.cli.showing import Format, print_json
from dripline.explaining import LANGUAGES, Explanation, explain
from dripline.language.plan import Plan
from dripline.language.problems import did_you_mean
from dripline.language.project import load_project
from dripline.language.workspace import FILE


class Language(StrEnum):
    """The languages that journeys are explained in."""

    en = "en"
    hy = "hy"


def register(app: typer.Typer) -> None:
    """Add `dripline explain`."""
    app.command("explain")(explain_journey)


def explain_journey(
    journey: Annotated[str, typer.Argument(help="The journey, by its name.")],
    locale: Annotated[Language, typer.Option(help="In which language.")] = Language.en,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
) -> None:
    """Explain a journey in plain sentences: who enters, what they get and when, and how they leave."""
    explanation = explain(_plan(workspace or workspace_of([]), journey), LANGUAGES[locale], locale)
    if form is Format.json:
        print_json(asdict(explanation))
    else:
        _tell(explanation)


def _plan(root: Path, journey: str) -> Plan:
    project = load_project(root)
    if journey not in project.plans:
        hint = did_you_mean(journey, project.plans)
        broken = " Some files have errors: `dripline check` tells them." if project.errors else ""
        refuse(f"There is no journey {journey}{f': {hint}' if hint else '.'}{broken}")
    return project.plans[journey]


def _tell(explanation: Explanation) -> None:
    console = Console(highlight=False)
    console.print(Text(clean(f"{explanation.title} ({explanation.journey})"), style="bold"))
    for section in explanation.sections:
        console.print()
        console.print(Text(section.title, style="bold"))
        for line in section.lines:
            row = Table.grid(padding=(0, 1))
            row.add_row("•", Text(clean(line.text)))
            console.print(Padding(row, (0, 0, 0, 2 * line.depth)))
