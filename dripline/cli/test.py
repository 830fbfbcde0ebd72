"""`dripline test`: the scenarios beside the journeys, played in virtual time by the real engine."""

from __future__ import annotations

import json
import sys
import time
import traceback
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import typer
from rich.console import Console
from rich.text import Text

from dripline.cli.check import CLEAN, OUR_FAULT, PROBLEMS, tell_one, workspace_of
from dripline.cli.transcript import transcript, why
from dripline.language.problems import Problem
from dripline.language.project import Project, load_project
from dripline.language.scenario import ScenarioFile
from dripline.language.workspace import FILE
from dripline.simulate.accepting import accept
from dripline.simulate.playing import Played, play


class Format(StrEnum):
    """How results are told."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


@dataclass(frozen=True)
class Result:
    """One scenario, played. `played` is None where its journey cannot be compiled."""

    journey: str
    path: str
    line: int
    name: str
    seconds: float
    played: Played | None

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return self.played is not None and self.played.passed


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
        code = _run((workspace or workspace_of(paths or [])).resolve(), paths or [], only, told, update)
    except Exception:  # a mistake of ours must not pass for one of the author's
        traceback.print_exc()
        Console(stderr=True).print("This is a mistake of Dripline, not of yours.", style="bold red")
        raise typer.Exit(OUR_FAULT) from None
    raise typer.Exit(code)


def _run(root: Path, paths: list[Path], only: str, told: Format, update: bool) -> int:
    project = load_project(root)
    problems = [one for one in project.problems if one.severity == "error" and _chosen(root, one.path, paths)]
    results = [
        result
        for journey, file in sorted(project.scenarios.items())
        if _chosen(root, file.path, paths)
        for result in _play(project, journey, file, only)
    ]
    if update:
        _accept(root, results)
    match told:
        case Format.TEXT:
            _tell(project, problems, results, update)
        case Format.JSON:
            text = json.dumps([_as_json(result) for result in results], ensure_ascii=False, indent=2)
            sys.stdout.write(text + "\n")
            _tell_problems(project, problems, Console(highlight=False, soft_wrap=True, stderr=True))
        case Format.JUNIT:
            sys.stdout.write(_as_junit(results, problems) + "\n")
    failed = any(not result.passed for result in results if not (update and result.played))
    nothing_chosen = not results and bool(paths or only)
    return PROBLEMS if failed or problems or nothing_chosen else CLEAN


def _chosen(root: Path, path: str, paths: list[Path]) -> bool:
    """Whether a file is meant: named itself, by its folder, or by the journey that it stands beside."""
    file = root / path
    journey = file.with_name(file.name.replace(".test.yaml", ".yaml"))
    wanted = [given.resolve() for given in paths]
    return not wanted or any(given in (file, journey, *file.parents) for given in wanted)


def _play(project: Project, journey: str, file: ScenarioFile, only: str) -> list[Result]:
    assert project.workspace is not None
    results = []
    for scenario, line in zip(file.scenarios, file.lines, strict=True):
        if only.casefold() not in f"{journey}: {scenario.scenario}".casefold():
            continue
        began = time.perf_counter()
        playable = {journey, *scenario.with_} <= project.plans.keys()
        played = play(scenario, journey, project.plans, project.workspace) if playable else None
        seconds = time.perf_counter() - began
        results.append(Result(journey, file.path, line, scenario.scenario, seconds, played))
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


# -- for people ----------------------------------------------------------------------------------------------


def _tell(project: Project, problems: list[Problem], results: list[Result], updated: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    _tell_problems(project, problems, console)
    for result in results:
        _tell_result(result, console)
    failed = sum(not result.passed for result in results)
    count = "1 scenario" if len(results) == 1 else f"{len(results)} scenarios"
    took = sum(result.seconds for result in results) * 1000
    verdict = f"{failed} failed" if failed else "all as expected"
    if not results:
        console.print("No scenario to play.", style="bold yellow")
        return
    if failed and updated:
        verdict = f"{failed} written anew; look at what changed"
    style = "bold red" if failed or problems else "bold green"
    console.print(Text(f"{count} played in {took:.0f} ms: {verdict}", style=style))


def _tell_problems(project: Project, problems: list[Problem], console: Console) -> None:
    for problem in problems:
        tell_one(problem, project.texts.get(problem.path, ()), console)


def _tell_result(result: Result, console: Console) -> None:
    mark = Text("ok    ", style="green") if result.passed else Text("FAILED", style="bold red")
    console.print(
        mark + Text(f" {result.journey}: {result.name} ") + Text(f"{result.seconds * 1000:.0f} ms", "dim")
    )
    if result.passed:
        return
    console.print(Text(f"  {result.path}:{result.line}", style="dim"))
    if result.played is None:
        console.print(Text("  Its journey has errors: see `dripline check`.", style="red"))
    else:
        for line in transcript(result.played):
            console.print(Text("  ") + line)
    console.print()


# -- for programs --------------------------------------------------------------------------------------------


def _as_json(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {
        "journey": result.journey,
        "scenario": result.name,
        "path": result.path,
        "line": result.line,
        "passed": result.passed,
        "milliseconds": round(result.seconds * 1000, 1),
    }
    played = result.played
    if played is None:
        return {**told, "trouble": ["the journey has errors"], "rows": []}
    rows = [
        {
            "at": row.at.astimezone(played.where).isoformat(),
            "as_expected": row.fine,
            "expected": {row.expected.kind: row.expected.name} if row.expected else None,
            "expected_at": row.expected_at.astimezone(played.where).isoformat() if row.expected_at else None,
            "seen": {row.seen.kind: row.seen.name, **row.seen.facts} if row.seen else None,
            "why": why(row, played) or None,
        }
        for row in played.rows
    ]
    return {**told, "trouble": list(played.trouble), "rows": rows}


def _as_junit(results: list[Result], problems: list[Problem]) -> str:
    """The form of JUnit's reports, as CI servers read it."""
    failures = sum(not result.passed for result in results)
    suite = ElementTree.Element(
        "testsuite",
        name="dripline",
        tests=str(len(results)),
        failures=str(failures),
        errors=str(len(problems)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for problem in problems:
        case = ElementTree.SubElement(suite, "testcase", classname="check", name=problem.path)
        ElementTree.SubElement(case, "error", message=str(problem))
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.journey,
            name=result.name,
            file=result.path,
            line=str(result.line),
            time=f"{result.seconds:.3f}",
        )
        if not result.passed:
            failure = ElementTree.SubElement(case, "failure", message="not as expected")
            lines = transcript(result.played) if result.played else [Text("the journey has errors")]
            failure.text = "\n" + "\n".join(line.plain for line in lines) + "\n"
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
