"""`dripline lead list`: who is there, and who lacks what makes a lead."""

from __future__ import annotations

from typing import Annotated

import typer

from dripline.cli.opening import opened
from dripline.cli.showing import Format, add, new_table, print_json, print_table


def list_leads(
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Only those that lack a person, or a way to reach one.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """List the leads, newest first, with what each lacks, and what speaks against its address and number."""
    from dripline.language.completeness import LACKING, doubts
    from dripline.store import overview
    from dripline.store.leads import facts

    with opened() as house, house.store.read() as connection:
        page = overview.list_leads(connection, incomplete=incomplete, limit=limit)
        known = [facts(row) for row in page.rows]
        if form is Format.json:
            print_json([{**lead, "doubts": doubts(lead)} for lead in known])
            return
        table = new_table("Lead", "E-mail", "Phone", "Since", "Lacks", "Doubtful")
        for lead in known:
            lacking = ", ".join(LACKING[one] for one in lead["lacks"])
            doubtful = "; ".join(f"the {field} {told}" for field, told in doubts(lead).items())
            own = (lead["email"] or "", lead["phone"] or "")
            add(table, lead["id"], *own, house.minute(lead["created_at"]), lacking, doubtful)
    print_table(table, "Every lead is a person who can be reached." if incomplete else "No leads yet.")
    if page.next:
        typer.echo(f"There are more than {limit}: see --limit.")
