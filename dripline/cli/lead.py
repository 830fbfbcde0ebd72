"""`dripline lead`: leads in, from a spreadsheet; who is there; and who is one person."""

from __future__ import annotations

import typer

from dripline.cli.consenting import show_consent
from dripline.cli.importing import import_leads
from dripline.cli.imports import list_imports, undo
from dripline.cli.lead_card import set_stage, show_card
from dripline.cli.lead_export import export_lead
from dripline.cli.lead_list import list_leads
from dripline.cli.merging import add_merging
from dripline.cli.tracking import set_tracking


def register(app: typer.Typer) -> None:
    """Add `dripline lead …`."""
    lead = typer.Typer(
        help="Take in leads, list them, make one of those that are one person, hand out what is kept.",
        no_args_is_help=True,
    )
    lead.callback()(_lead)
    lead.command("import")(import_leads)
    lead.command("imports")(list_imports)
    lead.command("undo-import")(undo)
    lead.command("list")(list_leads)
    lead.command("export")(export_lead)
    lead.command("consent")(show_consent)
    lead.command("tracking")(set_tracking)
    lead.command("stage")(set_stage)
    lead.command("card")(show_card)
    add_merging(lead)
    app.add_typer(lead, name="lead")


def _lead() -> None:
    """Take in leads, list them, make one of those that are one person, hand out what is kept."""
