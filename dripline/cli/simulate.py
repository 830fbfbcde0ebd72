"""`dripline simulate`: what a journey will do to one lead, or to many, before it does it."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dripline.cli.asking import EXIT_YOURS, refuse
from dripline.cli.check import tell_one, workspace_of
from dripline.cli.forecasting import about, as_json, crowd_as_json, page, tell
from dripline.cli.opening import opened
from dripline.cli.showing import Format, count, print_json, write_out
from dripline.cli.transcript import story, story_as_json
from dripline.clock import machine_clock
from dripline.language.durations import DurationError, parse_duration
from dripline.language.plan import Plan
from dripline.language.problems import Problem, did_you_mean
from dripline.language.project import FOLDER, Project, load_project
from dripline.language.scenario import read_circumstances
from dripline.language.workspace import FILE, Workspace
from dripline.language.yaml_reader import read_yaml
from dripline.simulate.crowd import Crowd, NoLeads, beginning, gather, replayed, samples_of, together
from dripline.simulate.forecast import Forecast
from dripline.simulate.playing import begin
from dripline.simulate.population import Progress as Progressing
from dripline.simulate.population import live_again, live_all
from dripline.simulate.rates import Rate, RateError, read_rate
from dripline.simulate.setting import set_up


def register(app: typer.Typer) -> None:
    """Add `dripline simulate`."""
    app.command()(simulate)


def simulate(
    journey: Annotated[str, typer.Argument(help="The journey's id.")],
    lead: Annotated[
        Path | None,
        typer.Option(
            help="One lead instead of many: a file (YAML) with `lead`, `start` and `events` as in a scenario."
        ),
    ] = None,
    leads: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="So many leads, made after the scenarios'.")
    ] = 1000,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days are looked at.")] = 180,
    over: Annotated[
        str, typer.Option(help="They enter evenly over this time; `0s`: all at once.")
    ] = "30 days",
    start: Annotated[
        str | None, typer.Option(help="The first day, like 2026-03-02; without it, today.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Another number throws the dice anew; the same gives the same.")
    ] = 1,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            help="How many do what is waited for: `demo.booked=20%`, within 2 days: `demo.booked=20%/2 days`."
        ),
    ] = None,
    rates: Annotated[
        Path | None, typer.Option(help="A file (YAML) with such rates: `demo.booked: 20%/2 days`.")
    ] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Take the rates from what leads did so far, as the store tells.")
    ] = False,
    replay: Annotated[
        str | None,
        typer.Option(
            help="What really happened since this day, like 2026-03-02, by the journey as it stands in the files."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page (HTML) with charts into this file.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Look at that page in the browser.")] = False,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
) -> None:
    """Tell what a journey will do, in virtual time: to one lead, or to many of whom a share answers.

    Everything that decides is what decides in production: messages, waits, caps, quiet hours, throttles, holdout.
    """
    root = (workspace or workspace_of([])).resolve()
    project = load_project(root)
    plan = _plan(project, journey)
    assert project.workspace is not None
    if lead is not None:
        _tell_one(root, project.workspace, project, plan, lead, form)
        return
    quiet = form is Format.json
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    ) as bar:
        task = bar.add_task(journey, total=1.0)

        def progress(passed: float) -> None:
            bar.update(task, completed=passed)

        if replay is not None:
            told, lines, forecast = _again(project, plan, _day(replay), progress)
        else:
            known = _rates(project.workspace, plan, rate or [], rates, learn)
            first = _day(start) if start else machine_clock().astimezone(project.workspace.zone).date()
            crowd = _crowd(project, project.workspace, plan, leads, days, _length(over), first, seed, known)
            told, lines, forecast = crowd_as_json(crowd), list(about(crowd)), live_all(crowd, progress)
    if quiet:
        print_json(as_json(told, forecast, project.workspace))
    else:
        tell(plan.journey, lines, forecast, project.workspace)
    if report is not None:
        write_out(report, page(plan, lines, forecast, project.workspace))
        typer.echo(f"Written to {report}.", err=quiet)
        if show and not webbrowser.open(report.resolve().as_uri()):
            typer.echo("No browser could be opened: open that file yourself.", err=True)
    elif show:
        refuse("--open shows the page that --report FILE writes: say both.")


def _plan(project: Project, journey: str) -> Plan:
    plan = project.plans.get(journey)
    if plan is None or project.workspace is None:
        known = f"{FOLDER}/{journey}.yaml"
        broken = any(problem.path == known for problem in project.problems) or project.workspace is None
        if broken:
            refuse(f"{journey} has errors: see `dripline check`.")
        hint = did_you_mean(journey, project.plans)
        refuse(f"There is no journey `{journey}`{': ' + hint if hint else ''}.")
    return plan


def _crowd(
    project: Project,
    workspace: Workspace,
    plan: Plan,
    leads: int,
    days: int,
    over: timedelta,
    first: date,
    seed: int,
    rates: Mapping[str, Rate],
) -> Crowd:
    try:
        plans, kinds = gather(project, workspace, plan.journey)
    except NoLeads as reason:
        refuse(f"{str(reason)[0].upper()}{str(reason)[1:]}.")
    start = beginning(first, workspace.zone)
    samples = samples_of(project, workspace, plan.journey)
    until = beginning(first + timedelta(days=days), workspace.zone)
    return Crowd(
        plan.journey, plans, kinds, samples, rates, leads, start, min(over, until - start), until, seed
    )


def _again(
    project: Project, plan: Plan, since: date, progress: Progressing
) -> tuple[dict[str, Any], list[str], Forecast]:
    """What happened since that day, played by the journey's file: what was reckoned with, in words, and the sum."""
    from dripline.store.happened import happened

    plans = {name: project.plans[name] for name in together(project.plans, plan.journey)}
    with opened() as house, house.store.read() as connection:
        begun = beginning(since, house.zone)
        until = max(house.clock.to_house(machine_clock()), begun)
        settings = [
            replayed(one.lead, one.events, plans, until) for one in happened(connection, begun) if one.events
        ]
    line = f"{plan.journey}: what happened to {count(len(settings), 'lead')} since {since}, by the journey's file"
    told = {"journey": plan.journey, "leads": len(settings), "since": begun, "until": until}
    return (
        told,
        [line, "Leads are taken as they are today."],
        live_again(settings, plan, plans, until, progress),
    )


# -- what was said -------------------------------------------------------------------------------------------


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(f"--start: `{text}` is no day; write it like 2026-03-02.")


def _length(text: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except DurationError as error:
        refuse(f"--over: {error}; {error.hint}.")
    return timedelta(days=duration.months * 30 + duration.days, seconds=duration.seconds)


def _rates(
    workspace: Workspace, plan: Plan, said: list[str], file: Path | None, learn: bool
) -> dict[str, Rate]:
    found = _learnt(plan) if learn else {}
    for text in [*_lines(file), *said]:
        name, equals, rate = text.partition("=")
        if not equals:
            refuse(f"--rate: `{text}` is no rate: write it like `demo.booked=20%/2 days`.")
        if name.strip() not in workspace.events:
            hint = did_you_mean(name.strip(), workspace.events)
            refuse(f"--rate: no event `{name.strip()}` is declared{': ' + hint if hint else ''}.")
        try:
            found[name.strip()] = read_rate(rate)
        except RateError as error:
            refuse(f"--rate {name.strip()}: {error}.")
    return found


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    content = _read(file)
    document, problems = read_yaml(str(file), content)
    if document is None:
        _refuse_all(problems, content)
    plain = document.plain()
    if not isinstance(plain, dict) or not all(isinstance(value, str) for value in plain.values()):
        refuse(f"{file}: write a line for each event, like `demo.booked: 20%/2 days`.")
    return [f"{name}={value}" for name, value in plain.items()]


def _learnt(plan: Plan) -> dict[str, Rate]:
    from dripline.store.responses import responses

    with opened() as house, house.store.read() as connection:
        seen = responses(connection, plan)
    found = {
        name: Rate(one.share, max(one.mean * 2, timedelta(minutes=1)))
        for name, one in seen.items()
        if one.after
    }
    if not found:
        refuse(f"The store knows nothing yet of what leads do in {plan.journey}: say the rates with --rate.")
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        refuse(f"{file} cannot be read.")


def _refuse_all(problems: list[Problem], content: bytes) -> NoReturn:
    lines = tuple(content.decode("utf-8-sig", errors="replace").splitlines())
    for problem in problems:
        tell_one(problem, lines, Console(highlight=False, soft_wrap=True, stderr=True))
    raise typer.Exit(EXIT_YOURS)


# -- one lead ------------------------------------------------------------------------------------------------


def _tell_one(
    root: Path, workspace: Workspace, project: Project, plan: Plan, file: Path, form: Format
) -> None:
    content = _read(file)
    document, problems = read_yaml(str(file), content)
    if document is None:
        _refuse_all(problems, content)
    told, problems = read_circumstances(document, workspace, root / FOLDER, plan)
    if told is None:
        _refuse_all(problems, content)
    missing = [name for name in told.with_ if name not in project.plans]
    if missing:
        refuse(f"{', '.join(missing)} has errors: see `dripline check`.")
    setting = set_up(told, plan.journey, project.plans, workspace)
    life = begin(setting)
    life.live(setting.until)
    if form is Format.json:
        print_json(story_as_json(life.timeline, setting.where))
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in story(life.timeline, setting.where, life.state.plans):
        console.print(line)


__all__ = ["register"]
