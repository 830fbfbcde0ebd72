"""`dripline spend …`: what advertising cost, for the cost of a lead and what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table
from dripline.clock import machine_clock


def register(app: typer.Typer) -> None:
    """Add `dripline spend`."""
    spend = typer.Typer(no_args_is_help=True, help="What advertising cost: reports tell what came of it.")
    spend.command("add")(add_one)
    spend.command("import")(import_file)
    spend.command("list")(list_them)
    spend.command("remove")(remove)
    app.add_typer(spend, name="spend")


def add_one(
    amount: Annotated[str, typer.Argument(help="What was paid, like `1250.50`.")],
    first_day: Annotated[
        str, typer.Option("--first", help="The first day that it was for, like 2026-03-01.")
    ],
    last_day: Annotated[str | None, typer.Option("--last", help="The last day; else the first.")] = None,
    source: Annotated[str | None, typer.Option(help="As touches call it, like `google`.")] = None,
    channel: Annotated[str | None, typer.Option(help="Like `paid-search`.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217; else the workspace's.")] = None,
) -> None:
    """Say what was paid for some days. Said again of the same, the amount is replaced."""
    from dripline.reports.spending import SpendError, read_spend
    from dripline.store.spends import keep_spends

    said = {"amount": amount, "first_day": first_day, "last_day": last_day, "source": source}
    with opened(to_change=True) as house:
        try:
            one = read_spend(
                {**said, "channel": channel, "campaign": campaign, "currency": currency},
                house.workspace.currency,
            )
        except SpendError as error:
            refuse(f"{error}.")
        with house.store.write() as connection:
            new, changed = keep_spends(connection, [one], who(), machine_clock())
    typer.echo("Kept." if new else "The amount was replaced." if changed else "It was known already.")


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file with a head.")],
) -> None:
    """Read costs from a file with the columns first_day, last_day, source, channel, campaign, amount, currency.

    All of it is kept, or nothing.
    """
    from dripline.reports.spending import read_spends
    from dripline.store.spends import keep_spends

    with opened(to_change=True) as house:
        try:
            with file.open(encoding="utf-8-sig", newline="") as handle:
                found, problems = read_spends(handle, house.workspace.currency)
        except (OSError, UnicodeDecodeError) as problem:
            refuse(f"{file} cannot be read as a text in UTF-8 ({type(problem).__name__}).")
        if problems:
            more = [f"… and {len(problems) - 20:,} more"] if len(problems) > 20 else []
            refuse(
                "\n".join([*(f"{file}:{problem}" for problem in problems[:20]), *more, "Nothing was kept."])
            )
        with house.store.write() as connection:
            new, changed = keep_spends(connection, found, who(), machine_clock())
    typer.echo(
        f"Kept {count(new, 'new cost')}, replaced {changed:,}; known already: {len(found) - new - changed:,}."
    )


def list_them(
    form: Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")] = Format.text,
) -> None:
    """List what was paid."""
    from dripline.language.money import to_major
    from dripline.store.spends import list_spends

    with opened() as house, house.store.read() as connection:
        rows = sorted(list_spends(connection), key=lambda row: (row.first_day, row.last_day, row.id))
    names = ("id", "first_day", "last_day", "source", "channel", "campaign", "currency", "by")
    told = [
        {**{name: getattr(row, name) for name in names}, "amount": to_major(row.amount, row.currency)}
        for row in rows
    ]
    if form is Format.json:
        print_json(told)
        return
    table = new_table("first day", "last day", "source", "channel", "campaign", "amount", "id")
    for one in told:
        words = [str(one[name] or "") for name in names[1:6]]
        add(table, *words, f"{one['amount']:,} {one['currency']}", str(one["id"])[:12])
    print_table(table, "Nothing yet: say what you paid with `dripline spend add`.")


def remove(
    spend: Annotated[
        str, typer.Argument(help="Its id, as `dripline spend list` shows it, or its beginning.")
    ],
) -> None:
    """Take a cost away."""
    from dripline.store.spends import list_spends, remove_spend

    with opened(to_change=True) as house, house.store.write() as connection:
        found = [row.id for row in list_spends(connection) if len(spend) >= 6 and row.id.startswith(spend)]
        if len(found) != 1:
            refuse("There is no cost of this id." if not found else "Several ids begin so: say more of it.")
        remove_spend(connection, found[0])
    typer.echo("Taken away.")
