"""`dripline strays`: what the tracking API was told and the workspace has no place for."""

from __future__ import annotations

from typing import Annotated

import typer

from dripline.cli.opening import opened
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add `dripline strays`."""
    app.command("strays")(strays)


def strays(
    forget: Annotated[bool, typer.Option("--forget", help="Forget them, and count anew.")] = False,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show the events, properties and traits that came by the tracking API and had no place, and what to do.

    Names and counts; what they held is not kept.
    """
    from dripline.ingest.segment.advice import advice
    from dripline.store.strays import forget_strays, list_strays

    with opened(to_change=forget) as house:
        if forget:
            with house.store.write() as connection:
                typer.echo(f"Forgot {count(forget_strays(connection), 'name')}.")
            return
        with house.store.read() as connection:
            rows = list_strays(connection)
        told = [{**row._mapping, "advice": advice(row, house.workspace)} for row in rows]
        if form is Format.json:
            print_json(told)
            return
        table = new_table("What came", "Times", "Last", "What is wrong", "What to do")
        for row in told:
            of = f" of {row['event']}" if row["event"] else ""
            what = f"{row['kind']} {row['name']}{of}"
            add(table, what, f"{row['times']:,}", house.minute(row["last_at"]), row["why"], row["advice"])
        print_table(table, "All that came had its place.")
