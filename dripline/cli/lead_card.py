"""`dripline lead stage` and `dripline lead card`: where a lead is, and what is known of a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import opened
from dripline.cli.person import FORMAT, LEAD, hands, lead_id, said
from dripline.cli.showing import Format, print_json


def set_stage(
    lead: LEAD,
    stage: Annotated[
        str | None, typer.Argument(help="The new stage; without it, the history is shown.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why: kept with it, and told to journeys.")] = None,
    form: FORMAT = Format.text,
) -> None:
    """Change a lead's stage, or show how its stages went."""
    from dripline.store.stages import stage_history

    if stage is not None and not 0 < len(stage.strip()) <= 32:
        refuse("A stage is a word of at most 32 letters.")
    with opened(to_change=stage is not None) as house:
        if stage is not None:
            new = said(lambda: hands(house).set_stage(lead_id(house, lead), stage.strip(), reason, "command"))
            typer.echo(f"The lead is {stage.strip()} now." if new else "It is so already.")
            return
        with house.store.read() as connection:
            rows = stage_history(connection, house.lead(connection, lead).id)
    if form is Format.json:
        names = ("at", "before", "after", "reason", "owner", "source", "journey")
        print_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    for row in rows:
        because = f": {row.reason}" if row.reason else ""
        by = row.journey or row.source
        typer.echo(f"{house.minute(row.at)}  {row.before or 'new'} → {row.after or 'none'} ({by}){because}")
    if not rows:
        typer.echo("Its stage has never changed.")


def show_card(
    lead: LEAD,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A field, as `contract=A-7`; `contract=` empties it.")
    ] = None,
    form: FORMAT = Format.text,
) -> None:
    """Show what is known of a customer, and the way that led there; or write fields of the card."""
    from dripline.language.stages import still_empty
    from dripline.store.customers import customer_of
    from dripline.story.hands import say_way

    wrong = next((one for one in values or () if "=" not in one), None)
    if wrong is not None:
        refuse(f"--set {wrong}: write it like `contract=A-7`.")
    fields = {name: value or None for name, _, value in (one.partition("=") for one in values or ())}
    with opened(to_change=bool(fields)) as house:
        if fields:
            said(lambda: hands(house).fill_card(lead_id(house, lead), fields))
        with house.store.read() as connection:
            row = customer_of(connection, house.lead(connection, lead).id)
    if row is None:
        refuse("This lead is no customer yet.")
    cards = house.workspace.cards
    lacks = still_empty(cards.customer if cards else (), row.card)
    if form is Format.json:
        names = ("converted_at", "owner", "order_id", "card", "path")
        print_json({**{name: getattr(row, name) for name in names}, "lacks": lacks})
        return
    by = f" by the order {row.order_id}" if row.order_id else ""
    typer.echo(f"A customer since {house.minute(row.converted_at)}{by}, of {row.owner or 'nobody'}.")
    for name, value in row.card.items():
        typer.echo(f"  {name}: {value}")
    if lacks:
        typer.echo(f"Still empty: {', '.join(lacks)}.")
    typer.echo("The way there:")
    for one in row.path:
        typer.echo(f"  {house.minute(datetime.fromisoformat(one['at']))}  {say_way(one)}")
