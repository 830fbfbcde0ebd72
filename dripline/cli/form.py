"""`dripline form`: the forms of the workspace, and the HTML by which they stand on pages of one's own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dripline.cli.asking import read_settings, refuse
from dripline.cli.showing import Format, print_json
from dripline.language.problems import did_you_mean
from dripline.language.workspace import Workspace, load_workspace
from dripline.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Forms for web pages.")


def register(parent: typer.Typer) -> None:
    """Add `dripline form`."""
    parent.add_typer(app, name="form")


@app.command("list")
def list_forms(
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """List the forms of the workspace with the addresses of their pages."""
    settings, workspace = _workspace()
    at = settings.public_url.rstrip("/")
    rows = [
        {
            "form": id_,
            "page": f"{at}/f/{id_}",
            "fields": list(one.fields),
            "double_opt_in": one.double_opt_in if one.consent else None,
            "origins": list(one.origins),
        }
        for id_, one in workspace.forms.items()
    ]
    if form is Format.json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['form']}  {row['page']}")
    if not rows:
        typer.echo("There are no forms: declare one under `forms` in dripline.yaml.")


@app.command("snippet")
def print_snippet(
    form: Annotated[str, typer.Argument(help="The form, by its id.")],
    locale: Annotated[
        str | None, typer.Option(help="In which language; without it, the workspace's first.")
    ] = None,
) -> None:
    """Print the HTML of a form, to be copied into a page of yours."""
    from dripline.web.forms.showing import Showing
    from dripline.web.pages.frame import build_templates

    settings, workspace = _workspace()
    if form not in workspace.forms:
        hint = did_you_mean(form, workspace.forms) or "`dripline form list` names them"
        refuse(f"There is no form `{form}`: {hint}.")
    showing = Showing(workspace, settings.public_url, build_templates())
    if locale is not None and locale not in showing.locales(form):
        refuse(f"The form speaks {', '.join(showing.locales(form))}.")
    sys.stdout.write(showing.snippet(form, locale or workspace.locales[0]) + "\n")


def _workspace() -> tuple[Settings, Workspace]:
    settings = read_settings()
    workspace, problems = load_workspace(settings.workspace)
    if workspace is None:
        refuse("\n".join(map(str, problems)))
    return settings, workspace
