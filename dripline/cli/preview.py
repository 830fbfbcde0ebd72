"""`dripline preview`: a template as leads will see it, in each of its languages."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from dripline.cli.asking import WHO, clean, refuse
from dripline.cli.check import workspace_of
from dripline.cli.opening import opened
from dripline.cli.showing import Format, print_json, write_out
from dripline.language.problems import did_you_mean
from dripline.language.project import Project, load_project
from dripline.language.sms import measure
from dripline.language.workspace import FILE
from dripline.simulate.previewing import Previewed, Sample, previews, samples, uses
from dripline.web.saying import framed

Shown = Sequence[tuple[Sample, Sequence[Previewed]]]


def register(app: typer.Typer) -> None:
    """Add `dripline preview`."""
    app.command("preview")(preview)


def preview(
    template: Annotated[str, typer.Argument(help="The template, like `welcome/hello`.")],
    locale: Annotated[
        list[str] | None, typer.Option(help="Only this language; may be said several times.")
    ] = None,
    journey: Annotated[str | None, typer.Option(help="Only as this journey sends it.")] = None,
    lead: Annotated[str | None, typer.Option(help=f"Written to this lead of the store. {WHO}")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a page (HTML) to look at into this file.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Look at it in the browser.")] = False,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
    workspace: Annotated[
        Path | None, typer.Option(envvar="DRIPLINE_WORKSPACE", help=f"Folder with {FILE}.")
    ] = None,
) -> None:
    """Show a message as leads will see it: subject, plain text, segments of an SMS, and the e-mail in a browser.

    What the journey fills in is what it fills in while its first scenario that sends the message is played.
    """
    project = load_project(workspace or workspace_of([]))
    found = [one for one in _samples(project, template) if journey in (None, one.journey)]
    if not found:
        refuse(f"The journey {journey} does not send {template} in any scenario.")
    facts, name = _reader(lead)
    shown = [(one, list(previews(one, _locales(one, locale), facts))) for one in found]
    if form is Format.json:
        print_json([_as_json(sample, one) for sample, several in shown for one in several])
    elif output is None and not show:
        _tell(shown)
    if output is not None or show:
        _write(output, _page(template, shown, name), show)
    if any(one.content is None for _, several in shown for one in several):
        raise typer.Exit(1)


def _samples(project: Project, template: str) -> list[Sample]:
    if project.workspace is None:
        refuse("\n".join(str(problem) for problem in project.problems))
    found = list(samples(project, project.workspace, template))
    if not found:
        _refuse_unknown(project, template)
    return found


def _refuse_unknown(project: Project, template: str) -> NoReturn:
    broken = " Some files have errors: `dripline check` tells them." if project.errors else ""
    users = [name for name, plan in sorted(project.plans.items()) if uses(plan, template)]
    if users:
        refuse(
            f"No scenario gets as far as {template}: add one to journeys/{users[0]}.test.yaml in which it is sent."
            + broken
        )
    known = sorted({key.partition(":")[2] for plan in project.plans.values() for key in plan.templates})
    hint = did_you_mean(template, known)
    refuse(f"No journey sends {template}" + (f": {hint}" if hint else ".") + broken)


def _reader(lead: str | None) -> tuple[Mapping[str, Any] | None, str | None]:
    """The lead whom it is written to, as templates see it, and its name."""
    if lead is None:
        return None, None
    from dripline.store.leads import facts

    with opened() as house, house.store.read() as connection:
        row = house.lead(connection, lead)
        return facts(row), clean(lead)


def _locales(sample: Sample, wanted: list[str] | None) -> list[str]:
    for locale in wanted or []:
        if locale not in sample.locales:
            hint = did_you_mean(locale, sample.locales) or f"there are {', '.join(sample.locales)}"
            refuse(f"{sample.letter.template} is not written in `{locale}`: {hint}.")
    return wanted or sample.locales


def _as_json(sample: Sample, one: Previewed) -> dict[str, Any]:
    letter = sample.letter
    told: dict[str, Any] = {
        "journey": sample.journey,
        "scenario": sample.scenario,
        "step": letter.step,
        "channel": letter.channel,
        "template": letter.template,
        "problem": one.problem,
        "locale": one.locale,
    }
    if one.content is not None:
        told |= asdict(one.content) | {"locale": one.locale}
        if letter.channel == "sms":
            told["sms"] = asdict(measure(one.content.body))
    return told


def _tell(shown: Shown) -> None:
    console = Console(highlight=False, markup=False)
    for sample, several in shown:
        what = f"{sample.letter.channel} {sample.letter.template}"
        console.print(f"{what}, as {sample.journey} sends it in “{sample.scenario}”", style="bold")
        for one in several:
            console.print(_panel(one, sample.letter.channel))
    console.print("`--open` shows e-mails in the browser, as they look.", style="dim")


def _panel(one: Previewed, channel: str) -> Panel:
    if one.content is None:
        return Panel(Text(f"cannot be written: {one.problem}"), title=one.locale, border_style="red")
    text = Text(clean(one.content.body).rstrip())
    if channel == "sms":
        size = measure(one.content.body)
        segments = f"{size.segments} segment{'s' * (size.segments != 1)}"
        return Panel(
            text,
            title=one.locale,
            subtitle=f"{segments}, {size.places} places, {size.encoding}",
            title_align="left",
        )
    subject = Text(clean(one.content.subject or ""), style="bold")
    return Panel(Text.assemble(subject, "\n\n", text), title=one.locale, title_align="left")


def _page(template: str, shown: Shown, lead: str | None) -> str:
    environment = Environment(
        loader=PackageLoader("dripline.web"), autoescape=True, undefined=StrictUndefined
    )
    css = resources.files("dripline.web").joinpath("templates/style.css").read_text("utf-8")
    page = environment.get_template("preview.html")
    return page.render(
        template=template,
        shown=shown,
        lead=lead,
        css=Markup(css),  # noqa: S704 - our own file
        framed=framed,
        measure=measure,
    )


def _write(output: Path | None, page: str, show: bool) -> None:
    if output is None:
        folder = Path(tempfile.mkdtemp(prefix="dripline-preview-"))
        output = folder / "preview.html"
    write_out(output, page)
    typer.echo(f"Written to {output}.")
    if show and not webbrowser.open(output.resolve().as_uri()):
        typer.echo("No browser could be opened: open that file yourself.", err=True)
