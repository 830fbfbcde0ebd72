"""`dripline check`: everything that is wrong in journeys, templates and the workspace file, in one pass."""

from __future__ import annotations

import json
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from dripline.language.explaining import explanations
from dripline.language.problems import Problem, did_you_mean
from dripline.language.project import Project, load_project
from dripline.language.workspace import FILE

CLEAN, PROBLEMS, OUR_FAULT = 0, 1, 3
_STYLES = {"error": "bold red", "warning": "bold yellow", "at run": "bold magenta"}


class Format(StrEnum):
    """How problems are told."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add `dripline check`."""
    app.command()(check)


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Journeys, scenarios or folders of them; without any, the whole workspace."),
    ] = None,
    told: Annotated[
        Format, typer.Option("--format", help="For people (text) or programs (json).")
    ] = Format.TEXT,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
    explained: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="CODE", help="Say what a code means, with an example and the cure."
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List every code that there is.")] = False,
) -> None:
    """Tell everything that is wrong in journeys, templates and the workspace file.

    Ends with 0 if there is no error, 1 if there is one, 3 if the check itself failed. A warning is allowed on its
    line by a comment: `# dripline: allow CODE because REASON`.
    """
    if explained is not None or listed:
        console = Console(highlight=False, soft_wrap=True)
        raise typer.Exit(list_codes(console) if explained is None else explain(explained, console))
    try:
        project = load_project(workspace or workspace_of(paths or []), paths or [])
    except Exception:  # a mistake of ours must not pass for one of the author's
        traceback.print_exc()
        Console(stderr=True).print("This is a mistake of Dripline, not of yours.", style="bold red")
        raise typer.Exit(OUR_FAULT) from None
    if told is Format.JSON:
        sys.stdout.write(
            json.dumps([p.as_json() for p in project.problems], ensure_ascii=False, indent=2) + "\n"
        )
    else:
        tell(project, Console(highlight=False, soft_wrap=True))
    raise typer.Exit(PROBLEMS if project.errors else CLEAN)


def list_codes(console: Console) -> int:
    """Every code, with the first words of its rule."""
    codes = explanations()
    width = max(map(len, codes))
    for code, one in codes.items():
        line = Text(f"{code:<{width}}  ", style="bold")
        line.append(f"{one.severity:<7}", style=_STYLES[one.severity])
        line.append(f"  {one.summary}")
        console.print(line)
    return CLEAN


def explain(code: str, console: Console) -> int:
    """What a code means: the rule, an example and the cure."""
    one = explanations().get(code)
    if one is None:
        hint = did_you_mean(code, explanations()) or "`dripline check --list` has them all"
        Console(stderr=True).print(Text(f"there is no code `{code}`: {hint}"), style="bold red")
        return PROBLEMS
    console.print(Text(f"{one.severity}[{code}]", style=_STYLES[one.severity]))
    console.print(Text(f"\n{one.text}"))
    if one.example:
        console.print(
            Text(f"\nFor example, {f'in {one.where}' if one.where else 'among the steps of a journey'}:\n")
        )
        for line in one.example.rstrip("\n").split("\n"):
            console.print(Text(f"    {line}".rstrip(), style="dim"))
    console.print(Text(f"\nThe cure: {one.cure}", style="cyan"))
    if one.severity == "warning":
        console.print(Text(f"\nWhere it is meant so: # dripline: allow {code} because …", style="dim"))
    return CLEAN


def workspace_of(paths: list[Path]) -> Path:
    """The nearest folder with a workspace file, from the first path upwards, else from here."""
    start = paths[0].resolve() if paths else Path.cwd()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    return Path.cwd()


def tell(project: Project, console: Console) -> None:
    """Tell every problem, and how many there are."""
    for problem in project.problems:
        tell_one(problem, project.texts.get(problem.path, ()), console)
    warnings = len(project.problems) - project.errors
    style = "bold red" if project.errors else "bold yellow" if warnings else "bold green"
    count = f"{_count(project.errors, 'error')}, {_count(warnings, 'warning')}"
    console.print(Text(f"{_count(project.files, 'file')} checked: {count}", style=style))


def tell_one(problem: Problem, lines: tuple[str, ...], console: Console) -> None:
    """Print a problem, with its line and a caret."""
    head = Text(f"{problem.path}:{problem.line}:{problem.column}: ", style="bold")
    head.append(f"{problem.severity}[{problem.code}]", style=_STYLES[problem.severity])
    head.append(f": {problem.message}", style="")
    console.print(head)
    if 0 < problem.line <= len(lines):
        line = lines[problem.line - 1]
        number = f"{problem.line:>5} | "
        console.print(Text(number, style="dim") + Text(line.replace("\t", " ")))
        console.print(Text(" " * (len(number) + _width(line[: problem.column - 1])) + "^", style="bold cyan"))
    if problem.hint:
        console.print(Text(f"      = {problem.hint}", style="cyan"))
    console.print()


def _width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return Text(text.replace("\t", " ")).cell_len


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
