"""What became of scenarios, told to people, programs and CI servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

from dripline.cli.check import tell_one
from dripline.cli.transcript import transcript, why
from dripline.language.problems import Problem
from dripline.language.project import Project
from dripline.simulate.coverage import uncovered, ways
from dripline.simulate.playing import Played


@dataclass(frozen=True)
class Result:
    """One scenario, played. `played` is None where its journey cannot be compiled, or where it was left out."""

    journey: str
    path: str
    line: int
    name: str
    seconds: float
    played: Played | None
    left_out: str | None = None
    """Why it was not played."""

    @property
    def passed(self) -> bool:
        """Whether everything was as expected; what was left out fails nothing."""
        return self.left_out is not None or (self.played is not None and self.played.passed)


# -- for people ----------------------------------------------------------------------------------------------


def tell(project: Project, problems: list[Problem], results: list[Result], updated: bool) -> None:
    """Every scenario in a line, and those that failed as a timeline."""
    console = Console(highlight=False, soft_wrap=True)
    tell_problems(project, problems, console)
    for result in results:
        _tell_result(result, console)
    failed = sum(not result.passed for result in results)
    played = sum(result.left_out is None for result in results)
    count = "1 scenario" if played == 1 else f"{played} scenarios"
    took = _took(sum(result.seconds for result in results))
    verdict = f"{failed} failed" if failed else "all as expected"
    if not results:
        console.print("No scenario to play.", style="bold yellow")
        return
    if failed and updated:
        verdict = f"{failed} written anew; look at what changed"
    style = "bold red" if failed or problems else "bold green"
    console.print(Text(f"{count} played in {took}: {verdict}", style=style))


def tell_coverage(project: Project, results: list[Result], console: Console) -> None:
    """What these scenarios show of their journeys, and what of them none of them shows."""
    timelines = [result.played.timeline for result in results if result.played is not None]
    for journey in sorted({result.journey for result in results} & project.plans.keys()):
        plan = project.plans[journey]
        missing, every = uncovered(plan, timelines), sum(1 for _ in ways(plan))
        if not missing:
            console.print(Text(f"{journey}: every way is taken ({every})", style="green"))
            continue
        console.print(
            Text(f"{journey}: {len(missing)} of {every} ways are taken by no scenario", style="yellow")
        )
        for way in missing:
            step = Text(f"  at {way.step}", style="dim") if way.step is not None else Text()
            console.print(Text(f"  {way.said}") + step)


def tell_problems(project: Project, problems: list[Problem], console: Console) -> None:
    """What is wrong in the files, each with its place."""
    for problem in problems:
        tell_one(problem, project.texts.get(problem.path, ()), console)


def _tell_result(result: Result, console: Console) -> None:
    if result.left_out is not None:
        console.print(
            Text("left  ", "yellow") + Text(f" {result.journey}: {result.name} ({result.left_out})", "dim")
        )
        return
    mark = Text("ok    ", style="green") if result.passed else Text("FAILED", style="bold red")
    console.print(mark + Text(f" {result.journey}: {result.name} ") + Text(_took(result.seconds), "dim"))
    if result.passed:
        return
    console.print(Text(f"  {result.path}:{result.line}", style="dim"))
    if result.played is None:
        console.print(Text("  Its journey has errors: see `dripline check`.", style="red"))
    else:
        for line in transcript(result.played):
            console.print(Text("  ") + line)
    console.print()


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds * 1000:.0f} ms"


# -- for programs --------------------------------------------------------------------------------------------


def as_json(result: Result) -> dict[str, Any]:
    """A result for programs."""
    told: dict[str, Any] = {
        "journey": result.journey,
        "scenario": result.name,
        "path": result.path,
        "line": result.line,
        "passed": result.passed,
        "milliseconds": round(result.seconds * 1000, 1),
    }
    played = result.played
    if result.left_out is not None:
        return {**told, "passed": None, "left_out": result.left_out, "trouble": [], "rows": []}
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


def as_junit(results: list[Result], problems: list[Problem]) -> str:
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
        if result.left_out is not None:
            ElementTree.SubElement(case, "skipped", message=result.left_out)
        if not result.passed:
            failure = ElementTree.SubElement(case, "failure", message="not as expected")
            lines = transcript(result.played) if result.played else [Text("the journey has errors")]
            failure.text = "\n" + "\n".join(line.plain for line in lines) + "\n"
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
