"""`dripline new`: a journey with its templates and a scenario, from a recipe that ships with Dripline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from ruamel.yaml import YAML

from dripline.cli.asking import read_settings, refuse
from dripline.cli.check import tell
from dripline.language.problems import did_you_mean, listed
from dripline.language.workspace import Workspace, load_workspace

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_UNTRANSLATED = "# Not translated yet: this is the English text."


@dataclass(frozen=True)
class Recipe:
    """What a recipe makes, and which events of the workspace it needs."""

    name: str
    title: str
    about: str
    events: Mapping[str, Mapping[str, str]]
    folder: Traversable


def register(app: typer.Typer) -> None:
    """Add `dripline new`."""
    app.command("new")(new)


def new(
    journey: Annotated[str | None, typer.Argument(help="Its id: small letters, digits and -.")] = None,
    recipe: Annotated[str, typer.Option(help="What to begin with; --list tells them.")] = "welcome",
    show: Annotated[bool, typer.Option("--list", help="Tell the recipes, and write nothing.")] = False,
) -> None:
    """Write a new journey from a recipe, with its templates in every locale and a scenario, and check it.

    It writes over nothing. Texts are English until you translate them, and say so.
    """
    recipes = {one.name: one for one in _recipes()}
    if show:
        for one in recipes.values():
            typer.echo(f"{one.name:<14} {one.title}: {one.about}")
        return
    if journey is None or not _ID.fullmatch(journey):
        refuse("Say the id of the journey: small letters, digits and -, such as `dripline new spring-offer`.")
    if recipe not in recipes:
        hint = did_you_mean(recipe, recipes) or f"there are {listed(recipes)}"
        refuse(f"There is no recipe {recipe}: {hint}")
    root = read_settings().workspace
    workspace, problems = load_workspace(root)
    if workspace is None:
        refuse("\n".join(map(str, problems)))
    written = _write(root, dict(_files(recipes[recipe], journey, workspace)))
    for path in written:
        typer.echo(f"Wrote {path}")
    _tell_events(recipes[recipe], workspace)
    _check(root, journey)


def _recipes() -> Iterator[Recipe]:
    folder = resources.files("dripline").joinpath("recipes")
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if one.joinpath("recipe.yaml").is_file():
            yield Recipe(
                one.name, folder=one, **YAML(typ="safe").load(one.joinpath("recipe.yaml").read_text("utf-8"))
            )


def _files(recipe: Recipe, journey: str, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Every file that is to be written: its path below the workspace, and its text."""
    topic = next(iter(workspace.topics), "newsletter")
    title = journey.replace("-", " ").capitalize()

    def filled(name: str) -> str:
        text = recipe.folder.joinpath(name).read_text("utf-8")
        return text.replace("JOURNEY", journey).replace("TOPIC", topic).replace("TITLE", title)

    yield f"journeys/{journey}.yaml", filled("journey.yaml")
    yield f"journeys/{journey}.test.yaml", filled("scenario.yaml")
    for template in sorted(recipe.folder.joinpath("templates").iterdir(), key=lambda entry: entry.name):
        name, language, ending = template.name.split(".")
        for locale in workspace.locales:
            text = template.read_text("utf-8")
            if locale.split("-")[0] != language:
                text = text.replace("---\n", f"---\n{_UNTRANSLATED}\n", 1)
            yield f"templates/{journey}/{name}.{locale}.{ending}", text


def _write(root: Path, files: Mapping[str, str]) -> list[Path]:
    there = [name for name in files if (root / name).exists()]
    if there:
        refuse(f"{listed(there)} {'is' if len(there) == 1 else 'are'} there already; nothing was written.")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return [root / name for name in files]


def _tell_events(recipe: Recipe, workspace: Workspace) -> None:
    lines = []
    for name, wanted in recipe.events.items():
        known = workspace.events.get(name, {})
        lacking = {field: kind for field, kind in wanted.items() if field not in known}
        if name not in workspace.events or lacking:
            fields = ", ".join(f"{field}: {kind}" for field, kind in {**known, **lacking}.items())
            lines.append(f"  {name}: {{{fields}}}")
    if lines:
        typer.echo(
            "\nIt needs these events; write them into dripline.yaml, or change the journey:\n\nevents:"
        )
        typer.echo("\n".join(lines) + "\n")


def _check(root: Path, journey: str) -> None:
    from dripline.language.project import load_project

    folder = root / "journeys"
    project = load_project(root, [folder / f"{journey}.yaml", folder / f"{journey}.test.yaml"])
    tell(project, Console(highlight=False, soft_wrap=True))
    if project.errors:
        raise typer.Exit(1)
    typer.echo(
        f"Change it as you like, `dripline test` it, and walk it: `dripline try {journey} --as you@example.com`.\n"
        f"`dripline publish {journey}` (or the next `dripline up`) lets leads in."
    )
