"""`dripline test`: the scenarios beside the journeys, played in virtual time by the real engine."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dripline.cli.check import CLEAN, OUR_FAULT, PROBLEMS, workspace_of
from dripline.cli.results import Result, as_json, as_junit, tell, tell_coverage, tell_problems
from dripline.cli.run import leave
from dripline.language.project import Project, load_project
from dripline.language.scenario import Scenario
from dripline.language.workspace import FILE
from dripline.simulate.accepting import accept
from dripline.simulate.playing import Played, play


class Format(StrEnum):
    """How results are told."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


class On(StrEnum):
    """What scenarios are played on."""

    MEMORY = "memory"
    TEMPORAL = "temporal"


@dataclass(frozen=True)
class Chosen:
    """A scenario that is to be played."""

    journey: str
    path: str
    line: int
    scenario: Scenario

    def result(self, seconds: float, played: Played | None, left_out: str | None = None) -> Result:
        """What became of it."""
        return Result(self.journey, self.path, self.line, self.scenario.scenario, seconds, played, left_out)

    def playable(self, project: Project) -> bool:
        """Whether its journeys are without errors."""
        return {self.journey, *self.scenario.with_} <= project.plans.keys()


def register(app: typer.Typer) -> None:
    """Add `dripline test`."""
    app.command("test")(play_scenarios)


def play_scenarios(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Journeys, scenarios or folders of them; without any, all of the workspace."),
    ] = None,
    only: Annotated[str, typer.Option("-k", help="Only scenarios whose journey or name contains this.")] = "",
    told: Annotated[
        Format, typer.Option("--format", help="For people (text), programs (json) or CI servers (junit).")
    ] = Format.TEXT,
    on: Annotated[
        On,
        typer.Option(
            help="`memory`: in virtual time, in milliseconds. `temporal`: on the embedded Temporal server, a real"
            " worker and a store of their own, with skipped time, in seconds."
        ),
    ] = On.MEMORY,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Tell as well which ways of the journeys no scenario takes."),
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Write what happened into the files, as what is expected from now on."),
    ] = False,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
) -> None:
    """Play the scenarios beside the journeys, in virtual time, and tell what did not happen as expected.

    Ends with 0 if all went as expected, 1 if something did not, 3 if the test itself failed.
    """
    try:
        root = (workspace or workspace_of(paths or [])).resolve()
        code = _run(root, paths or [], only, told, on, update, coverage)
    except Exception:  # a mistake of ours must not pass for one of the author's
        traceback.print_exc()
        Console(stderr=True).print("This is a mistake of Dripline, not of yours.", style="bold red")
        raise typer.Exit(OUR_FAULT) from None
    if on is On.TEMPORAL:
        leave(code)
    raise typer.Exit(code)


def _run(root: Path, paths: list[Path], only: str, told: Format, on: On, update: bool, coverage: bool) -> int:
    project = load_project(root)
    problems = [one for one in project.problems if one.severity == "error" and _chosen(root, one.path, paths)]
    chosen = [
        Chosen(journey, file.path, line, scenario)
        for journey, file in sorted(project.scenarios.items())
        if _chosen(root, file.path, paths)
        for scenario, line in zip(file.scenarios, file.lines, strict=True)
        if only.casefold() in f"{journey}: {scenario.scenario}".casefold()
    ]
    play_all = _play_on_temporal if on is On.TEMPORAL else _play_in_memory
    results = play_all(root, project, chosen)
    if update:
        broken = {one.path for one in problems}
        _accept(root, [result for result in results if result.path not in broken])
    match told:
        case Format.TEXT:
            tell(project, problems, results, update)
            if coverage:
                tell_coverage(project, results, Console(highlight=False, soft_wrap=True))
        case Format.JSON:
            text = json.dumps([as_json(result) for result in results], ensure_ascii=False, indent=2)
            sys.stdout.write(text + "\n")
            tell_problems(project, problems, Console(highlight=False, soft_wrap=True, stderr=True))
        case Format.JUNIT:
            sys.stdout.write(as_junit(results, problems) + "\n")
    failed = any(not result.passed for result in results if not (update and result.played))
    nothing_chosen = not results and bool(paths or only)
    return PROBLEMS if failed or problems or nothing_chosen else CLEAN


def _chosen(root: Path, path: str, paths: list[Path]) -> bool:
    """Whether a file is meant: named itself, by its folder, or by the journey that it stands beside."""
    file = root / path
    journey = file.with_name(file.name.replace(".test.yaml", ".yaml"))
    wanted = [given.resolve() for given in paths]
    return not wanted or any(given in (file, journey, *file.parents) for given in wanted)


def _play_in_memory(_root: Path, project: Project, chosen: list[Chosen]) -> list[Result]:
    results = []
    for one in chosen:
        assert project.workspace is not None
        began = time.perf_counter()
        playable = one.playable(project)
        played = play(one.scenario, one.journey, project.plans, project.workspace) if playable else None
        results.append(one.result(time.perf_counter() - began, played))
    return results


def _play_on_temporal(root: Path, project: Project, chosen: list[Chosen]) -> list[Result]:
    """Each in turn on one installation; those that would really call other systems are left out."""
    from dripline.logs import configure_logs
    from dripline.stack.performing import Performance, calls_outside
    from dripline.stack.stage import perform

    def act(one: Chosen) -> Callable[[Performance], Result]:
        def play_it(performance: Performance) -> Result:
            began = time.perf_counter()
            if not one.playable(project):
                return one.result(0.0, None)
            if calls_outside(project.plans, one.scenario, one.journey):
                return one.result(0.0, None, "it calls other systems: they are answered in memory only")
            played = performance.play(one.scenario, one.journey, project.plans)
            return one.result(time.perf_counter() - began, played)

        return play_it

    results: list[Result] = []
    if not chosen or project.workspace is None:
        return results
    configure_logs("error", process="test")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Starting Temporal and a worker", total=len(chosen))

        def done(result: Result) -> None:
            results.append(result)
            progress.update(bar, advance=1, description="Playing on Temporal")

        perform(root, project.workspace, [act(one) for one in chosen], done)
    return results


def _accept(root: Path, results: list[Result]) -> None:
    for path in sorted({result.path for result in results if not result.passed}):
        file = root / path
        changed = {
            result.line: result.played
            for result in results
            if result.path == path and result.played and not result.passed
        }
        file.write_text(accept(file.read_text(encoding="utf-8"), changed), encoding="utf-8")
