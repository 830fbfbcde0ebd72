"""`dripline lead consent`: by what right a lead is written to."""

from __future__ import annotations

from typing import Annotated

import typer

from dripline.cli.asking import WHO, clean
from dripline.cli.opening import opened
from dripline.cli.showing import Format, print_json


def show_consent(
    lead: Annotated[str, typer.Argument(help=WHO)],
    format_: Annotated[Format, typer.Option("--format", help="Text for people, or JSON.")] = Format.text,
) -> None:
    """What a lead agreed to and took back: when, how, and with what proof."""
    from dripline.story.agreement import say_proof, tell_consent

    with opened() as house:
        with house.store.read() as connection:
            row = house.lead(connection, lead)
            lines = tell_consent(connection, row.id)
        if format_ is Format.json:
            print_json([vars(one) for one in lines])
            return
        said = [f"{name} {'yes' if agreed else 'no'}" for name, agreed in row.consent.items()]
        typer.echo(f"Now: {', '.join(said) or 'nothing agreed to'}.")
        if row.paused_until is not None:
            typer.echo(f"It wants to be left in peace until {house.say(row.paused_until)}.")
        for one in lines:
            proof = f" ({say_proof(one.proof)})" if one.proof else ""
            typer.echo(clean(f"{house.say(one.at)}  {one.text}, {one.how}{proof}"))
