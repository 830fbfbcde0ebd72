"""`dripline doctor`: what is set up, what is missing, and how to mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from dripline.cli.asking import clean, read_settings
from dripline.cli.showing import Format, count, print_json

if TYPE_CHECKING:
    from dripline.doctor.findings import Finding
    from dripline.doctor.guides import Step
    from dripline.settings import Settings

_MARKS = {"well": ("✓", "green"), "note": ("·", "cyan"), "mend": ("✗", "bold red")}


def register(app: typer.Typer) -> None:
    """Add `dripline doctor`."""
    app.command("doctor")(doctor)


class Provider(StrEnum):
    """Whom messages can leave by."""

    sendgrid = "sendgrid"
    twilio = "twilio"


def doctor(
    provider: Annotated[
        Provider | None,
        typer.Option(help="Show how to set it up from nothing, step by step, and what is done already."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Tell what is set up, what is missing, and how to mend it. Changes nothing, sends nothing.

    Ends with 0 where all is well, 1 where something is to be mended.
    """
    if provider is not None:
        _guide(provider, read_settings(), form)
    found = []
    for one in examine(read_settings()):
        found.append(one)
        if form is Format.text:
            _tell(one)
    to_mend = sum(one.verdict == "mend" for one in found)
    if form is Format.json:
        print_json([asdict(one) for one in found])
    else:
        typer.echo(f"\n{count(to_mend, 'thing')} to mend." if to_mend else "\nAll is well.")
    _leave(1 if to_mend else 0)


def _guide(provider: Provider, settings: Settings, form: Format) -> NoReturn:
    from dripline.doctor.sendgrid_guide import sendgrid_steps
    from dripline.doctor.twilio_guide import twilio_steps
    from dripline.language.workspace import load_workspace

    workspace, _ = load_workspace(settings.workspace)
    walk = sendgrid_steps if provider is Provider.sendgrid else twilio_steps
    steps = list(walk(settings, workspace))
    left = sum(step.wanted and step.done is False for step in steps)
    if form is Format.json:
        print_json([asdict(step) for step in steps])
        raise typer.Exit(1 if left else 0)
    typer.echo(f"{'SendGrid' if provider is Provider.sendgrid else 'Twilio'} from nothing.")
    typer.echo("✓ is done already, ✗ is to be done, ? cannot be seen from here, · may be left out.\n")
    for number, step in enumerate(steps, 1):
        _tell_step(number, step)
    typer.echo(
        f"\n{count(left, 'step')} to be done." if left else "\nNothing that can be seen is left to be done."
    )
    raise typer.Exit(1 if left else 0)


def _tell_step(number: int, step: Step) -> None:
    mark, style = {
        True: ("✓", "green"),
        None: ("?", "cyan"),
        False: ("✗", "bold red") if step.wanted else ("·", "cyan"),
    }[step.done]
    console = Console(highlight=False, soft_wrap=True)
    seen = Text(f" ({clean(step.seen)})" if step.seen else "", style="dim")
    console.print(
        Text(f"{number:>2}. ") + Text(f"{mark} ", style=style) + Text(clean(step.title), style="bold") + seen
    )
    if step.done is not True:
        for line in step.how:
            console.print(Text(f"      {clean(line)}"))


def examine(settings: Settings) -> Iterator[Finding]:
    """Every part in turn, as it is found to be."""
    from dripline.doctor import accounts, installation
    from dripline.doctor.running import examine_temporal, examine_web

    project, found = installation.examine_workspace(settings)
    yield from found
    parts: tuple[Callable[[], Iterable[Finding]], ...] = (
        lambda: installation.examine_settings(settings),
        lambda: installation.examine_store(settings, project),
        lambda: examine_web(settings),
        lambda: examine_temporal(settings),
        lambda: accounts.examine_sendgrid(settings),
        lambda: accounts.examine_twilio(settings),
        lambda: installation.examine_disk(settings),
    )
    for part in parts:
        yield from part()


def _tell(one: Finding) -> None:
    mark, style = _MARKS[one.verdict]
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        Text(f"{mark} ", style=style) + Text(f"{one.part:<10} ", style="bold") + Text(clean(one.text))
    )
    if one.cure:
        console.print(Text(f"             → {one.cure}", style="cyan"))


def _leave(code: int) -> NoReturn:
    """End without the interpreter's clean-up, in which a used Temporal client can crash (sdk-python issue 300)."""
    sys.stdout.flush()
    sys.stderr.flush()
    if "temporalio" in sys.modules:
        os._exit(code)
    raise typer.Exit(code)
