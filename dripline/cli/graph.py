"""`dripline graph`: a journey as a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dripline.cli.asking import refuse
from dripline.cli.check import tell_one, workspace_of
from dripline.cli.showing import write_out
from dripline.language.problems import did_you_mean
from dripline.language.project import FOLDER, Project, load_project
from dripline.language.workspace import FILE

if TYPE_CHECKING:
    from dripline.language.plan import Plan

ENDINGS = (".svg", ".png", ".mmd")


def register(app: typer.Typer) -> None:
    """Add `dripline graph`."""
    app.command()(graph)


def graph(
    journey: Annotated[str, typer.Argument(help="The journey's id, or its file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write: .svg, .png or .mmd; without it, Mermaid to the terminal.",
        ),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
) -> None:
    """Draw a journey: who enters, every step, and every way between them.

    SVG and PNG are pictures, for slides and for print; Mermaid (.mmd) is text, which many wikis and editors draw.
    """
    if output is not None and output.suffix.lower() not in ENDINGS:
        refuse(f"{output} is no picture that can be drawn: let it end in {', '.join(ENDINGS)}.")
    plan = _plan(journey, workspace)
    ending = output.suffix.lower() if output is not None else ".mmd"
    drawn = _drawn(plan, ending)
    if output is None:
        sys.stdout.write(drawn.decode())
        return
    write_out(output, drawn)


def _plan(journey: str, workspace: Path | None) -> Plan:
    named = Path(journey)
    is_file = named.suffix in (".yaml", ".yml")
    root = workspace or workspace_of([named] if is_file else [])
    project = load_project(root)
    name = named.stem if is_file else journey
    if name not in project.plans:
        _refuse_problems(project, f"{FOLDER}/{name}.yaml")
        hint = did_you_mean(name, project.plans)
        refuse(f"There is no journey {name} in {root / FOLDER}" + (f": {hint}" if hint else "."))
    return project.plans[name]


def _refuse_problems(project: Project, path: str) -> None:
    """End with what keeps the journey from being drawn, where something does."""
    errors = [problem for problem in project.problems if problem.severity == "error"]
    own = [problem for problem in errors if problem.path == path]
    found = own or [problem for problem in errors if not problem.path.startswith(f"{FOLDER}/")]
    if found and (own or project.workspace is None):
        for problem in found:
            tell_one(problem, project.texts.get(problem.path, ()), Console(stderr=True, highlight=False))
        refuse("Mend this first: what has errors cannot be drawn.")


def _drawn(plan: Plan, ending: str) -> bytes:
    from dripline.drawing import draw, flowchart
    from dripline.drawing.png import NoFonts, to_png

    if ending == ".mmd":
        return flowchart(plan).encode()
    if ending == ".svg":
        return draw(plan).encode()
    try:
        return to_png(draw(plan, alone=False))
    except NoFonts:
        refuse(
            "There is no font on this machine to write into a PNG with. Install one (on Debian:"
            " apt-get install fonts-noto-core), or write an .svg."
        )
