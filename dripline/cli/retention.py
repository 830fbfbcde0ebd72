"""`dripline retention`: what is kept for how long, and what goes next."""

from __future__ import annotations

from typing import Annotated

import typer

from dripline.cli.opening import opened
from dripline.cli.showing import Format, add, new_table, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("retention")(retention)


def retention(
    now: Annotated[
        bool, typer.Option("--now", help="Let go what is due, instead of leaving it to the next sweep.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show what the workspace keeps for a time only, how much of it is due, and when the next will be.

    Nothing is changed: it goes by itself, with the hourly sweep. What an open run may still need stays.
    """
    from dripline.language.durations import say_duration
    from dripline.privacy.erasing import Eraser
    from dripline.privacy.retaining import Keeper

    with opened(to_change=now) as house:
        secret = house.settings.secret.get_secret_value() if house.settings.secret else None
        keeper = Keeper(house.store, house.workspace, Eraser(house.store, secret))
        gone = keeper.carry_out() if now else {}
        found = keeper.look()
        if form is Format.json:
            rows = [{**vars(one), "kept": say_duration(one.kept)} for one in found]
            print_json({"gone": gone, "kinds": rows})
            return
        for name, number in gone.items():
            typer.echo(f"Gone: {number:,} of {name}.")
        table = new_table("What", "Kept for", "Due now", "The next")
        for one in found:
            next_at = house.minute(one.next_at) if one.next_at else "–"
            add(table, one.name, say_duration(one.kept), f"{one.due:,}", next_at)
    print_table(table, "Everything is kept for good: `retention` in dripline.yaml says otherwise.")
