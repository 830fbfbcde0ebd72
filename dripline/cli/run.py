"""`dripline up`, `serve`, `worker`: what runs and goes on running."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from dripline.settings import Settings

if TYPE_CHECKING:
    from dripline.language.project import Project
    from dripline.store.database import Store

EXIT_YOURS, EXIT_OURS = 1, 3

SHORTEST_DAY = timedelta(milliseconds=100)
"""Of `--day`: the machine's own moments must stay small beside what journeys mean by an hour."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(up)
    app.command()(serve)
    app.command()(worker)


def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port of the pages and the API (default 8080).")
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(help="Let a day of the journeys take this long, for trying them out: 2s, 0.5s."),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Let 200 made-up leads live through the journeys within two minutes."),
    ] = False,
    temporal_ui: Annotated[
        bool, typer.Option("--temporal-ui", help="Show the embedded Temporal server's own pages too.")
    ] = False,
) -> None:
    """Start everything here: Temporal, the worker and the web process. Ctrl-C stops all of it.

    Needs no set-up: messages go to a mailbox in the pages until a provider is set, the store is a file.
    """
    from dripline.logs import configure_logs
    from dripline.stack.supervise import StartFailed
    from dripline.stack.up import CannotStart

    settings = _settings() if port is None else _settings(port=port)
    configure_logs(settings.log_level, settings.log_format, "up")
    if demo and settings.environment == "production":
        _refuse("--demo makes leads up; it is not for production.")
    length = _day(day, settings)
    project = _project(settings)
    try:
        _run_everything(settings, project, length, demo=demo, temporal_ui=temporal_ui)
    except CannotStart as reason:
        _refuse(f"Cannot start: {reason}.")
    except StartFailed as reason:
        _refuse(f"Could not start: {reason}; its lines above say why.", EXIT_OURS)


def serve() -> None:
    """Run the web process alone: the API, the pages, the providers' webhooks, and the waker."""
    import uvloop

    from dripline.logs import configure_logs
    from dripline.stack.serving import serve as run_server

    settings = _settings()
    configure_logs(settings.log_level, settings.log_format, "web")
    leave(uvloop.run(run_server(settings)))


def worker() -> None:
    """Run the worker alone: what takes the turns and sends the messages."""
    from dripline.stack.up import WORKER

    if not WORKER.exists():
        _refuse(f"{WORKER} is missing: the worker runs from the checkout, not from an installed package.")
    os.execv(sys.executable, [sys.executable, str(WORKER)])  # noqa: S606 - our own file, no shell


def _run_everything(
    settings: Settings, project: Project, day: timedelta | None, *, demo: bool, temporal_ui: bool
) -> None:
    from dripline.stack import demo as the_demo
    from dripline.stack.supervise import Supervisor
    from dripline.stack.up import alone, local_url, prepare, programs, public_url, usual_pace
    from dripline.store.database import Store

    async def when_ready() -> None:
        typer.echo(f"\n  Dripline is up: open {public_url(settings)}\n  Ctrl-C stops everything.\n")
        if settings.environment == "production" and not _somebody_may_log_in(store):
            typer.echo("  Nobody can log in yet: `dripline user add ADDRESS --role admin` prints a link.\n")
        if demo:
            await the_demo.run(store, local_url(settings), settings.api_key, day or the_demo.DAY)

    people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    with alone(settings.data):
        parts = programs(settings, temporal_ui)
        store = Store(settings.store_url())
        pace = max(day or the_demo.DAY, the_demo.AFTERWARDS) if demo else day
        for line in prepare(store, project, pace):
            typer.echo(line)
        try:
            asyncio.run(Supervisor(parts, prefix=people).run(when_ready))
        finally:
            usual_pace(store)
            store.close()


def _somebody_may_log_in(store: Store) -> bool:
    from dripline.access.people import is_anybody_there

    with store.read() as connection:
        return is_anybody_there(connection)


def _project(settings: Settings) -> Project:
    from dripline.language.project import load_project

    project = load_project(settings.workspace)
    for problem in project.problems:
        typer.echo(str(problem), err=True)
    if any(problem.severity == "error" for problem in project.problems):
        _refuse("The journeys have problems; nothing was started.")
    return project


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(["DRIPLINE", *map(str, problem["loc"])]).upper()
            typer.echo(f"{name}: {problem['msg']}", err=True)
        _refuse("The settings are wrong; docs/settings.md tells all of them.")


def _day(text: str | None, settings: Settings) -> timedelta | None:
    from dripline.language.durations import DurationError, parse_duration

    if text is None:
        return None
    if settings.environment == "production":
        _refuse("--day would send real messages too early; it is not for production.")
    fraction = re.fullmatch(r"([0-9]*\.[0-9]+) ?s", text.strip())
    try:
        duration = parse_duration("0s" if fraction else text)
    except DurationError as error:
        _refuse(f"--day: {error}; {error.hint}.")
    seconds = float(fraction[1]) if fraction else duration.seconds
    length = timedelta(days=duration.days, seconds=seconds)
    if duration.months or not SHORTEST_DAY <= length <= timedelta(days=1):
        _refuse(f"--day: say a time between {SHORTEST_DAY.total_seconds():g}s and 1 day.")
    return length


def _refuse(reason: str, code: int = EXIT_YOURS) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(code)


def leave(code: int) -> NoReturn:
    """End without the interpreter's clean-up, in which a used Temporal client can crash (sdk-python issue 300)."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
