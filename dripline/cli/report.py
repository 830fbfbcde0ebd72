"""`dripline report …`: what earned money, how far leads come, and which arm did better."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from dripline.cli.asking import clean, refuse
from dripline.cli.opening import opened
from dripline.clock import machine_clock


class Told(StrEnum):
    """How to tell it."""

    text = "text"
    json = "json"
    csv = "csv"


class Measured(StrEnum):
    """What counts as converted."""

    goal = "goal"
    order = "order"


class Through(StrEnum):
    """Which messages have a part in an order."""

    clicked = "clicked"
    sent = "sent"


_SINCE = Annotated[
    str | None,
    typer.Option("--since", help="The first day, a length like `30 days`, or `beginning`; else 90 days."),
]
_UNTIL = Annotated[str | None, typer.Option("--until", help="The last day; else today.")]
_CURRENCY = Annotated[
    str | None, typer.Option("--currency", help="Of the amounts; else the workspace's (ISO 4217).")
]
_FORMAT = Annotated[Told, typer.Option("--format", help="A table for people, JSON, or CSV.")]
_JOURNEY = Annotated[str | None, typer.Option("--journey", help="Only this journey.")]


def _by(what: str) -> Any:
    return typer.Option("--by", help=f"By {what}; the first is usual.")


def register(app: typer.Typer) -> None:
    """Add `dripline report`."""
    report = typer.Typer(no_args_is_help=True, help="Reports: what earned money, and what it cost.")
    for command in (
        funnel,
        sources,
        orders,
        revenue,
        channels,
        experiments,
        deliverability,
        owners,
        recycling,
        discounts,
    ):
        report.command(command.__name__)(command)
    app.add_typer(report, name="report")


def funnel(
    journey: _JOURNEY = None, since: _SINCE = None, until: _UNTIL = None, form: _FORMAT = Told.text
) -> None:
    """Show how far leads come: to their second order, or through a journey step by step."""
    _tell("funnel", form, since=since, until=until, journey=journey)


def sources(
    by: Annotated[
        str | None, _by("source, medium, channel, campaign, country, locale, stage, warmth, grade or owner")
    ] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what became of leads by where they came from: customers, time, revenue, cost and return."""
    _tell("sources", form, since=since, until=until, by=by, currency=currency)


def orders(
    by: Annotated[str | None, _by("week, day or month")] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what was bought and what was given back."""
    _tell("orders", form, since=since, until=until, by=by, currency=currency)


def revenue(
    by: Annotated[str | None, _by("source, medium, channel, campaign, journey or template")] = None,
    via: Annotated[
        Through | None,
        typer.Option(
            "--via", help="Messages that were clicked, or all that were sent; else clicked, where you track."
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=3_650, help="How long before an order; else 90, of messages 7."),
    ] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what led to orders, by attribution to the first, to the last, and evenly to all."""
    through: Any = via.value if via else None
    _tell("revenue", form, since=since, until=until, by=by, via=through, days=days, currency=currency)


def channels(
    by: Annotated[str | None, _by("channel, journey, topic, template or provider")] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what became of messages: whom they reached, and what people did with them."""
    _tell("channels", form, since=since, until=until, by=by)


def experiments(
    journey: _JOURNEY = None,
    measure: Annotated[
        Measured | None,
        typer.Option("--measure", help="The journey's goal, or an order; else the goal, where there is one."),
    ] = None,
    lift: Annotated[
        float | None,
        typer.Option("--lift", min=1, max=1_000, help="The lift that is worth knowing, in percent; else 20."),
    ] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show the arms of splits and the control groups, with a plain verdict. They count from the beginning."""
    by: Any = measure.value if measure else None
    more = {"journey": journey, "measure": by, "lift": lift, "currency": currency}
    _tell("experiments", form, since=since, until=until, **more)


def deliverability(
    by: Annotated[str | None, _by("sender, domain, provider or channel")] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show how well messages arrive: bounces, complaints, and what they mean."""
    _tell("deliverability", form, since=since, until=until, by=by)


def owners(
    since: _SINCE = None, until: _UNTIL = None, currency: _CURRENCY = None, form: _FORMAT = Told.text
) -> None:
    """Show what became of the leads and tasks that each person was given."""
    _tell("owners", form, since=since, until=until, currency=currency)


def recycling(
    by: Annotated[str | None, _by("reason, owner or journey")] = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what became of leads that were lost: how many came back, after how long, and what they bought."""
    _tell("recycling", form, since=since, until=until, by=by, currency=currency)


def discounts(
    by: Annotated[str | None, _by("journey, discount, budget or pool")] = None,
    journey: _JOURNEY = None,
    since: _SINCE = None,
    until: _UNTIL = None,
    currency: _CURRENCY = None,
    form: _FORMAT = Told.text,
) -> None:
    """Show what became of discounts: redeemed, open, expired, what came off, and what the orders came to."""
    _tell("discounts", form, since=since, until=until, by=by, journey=journey, currency=currency)


def _tell(name: str, form: Told, **asked: Any) -> None:
    from dripline.reports.catalogue import NotToBeHad, Wanted, make_report
    from dripline.reports.period import PeriodError
    from dripline.reports.saying import as_csv

    with opened() as house, house.store.read() as connection:
        now = house.clock.to_house(machine_clock())
        try:
            made = make_report(connection, Wanted(name, **asked), house.workspace, now)
        except (NotToBeHad, PeriodError) as error:
            refuse(str(error))
    if form is Told.json:
        typer.echo(made.model_dump_json(indent=2))
    elif form is Told.csv:
        typer.echo(as_csv(made), nl=False)
    else:
        _show(made)


def _show(made: Any) -> None:
    from rich.table import Table

    from dripline.reports.saying import is_number, say_cell, say_days, say_key
    from dripline.reports.shapes import told_columns

    console = Console()
    if not console.is_terminal:
        console.width = 240  # nobody's window: let lines be long
    console.print(Text(f"{made.title}, {say_days(made)}", "bold"))
    if not made.rows:
        typer.echo("There is nothing to count in these days.")
        return
    columns, table = told_columns(made), Table()
    for column in columns:
        table.add_column(column.title, justify="right" if is_number(column) else "left", overflow="fold")
    for row in made.rows:
        first = say_key(getattr(row, columns[0].name), made)
        others = [say_cell(row, column) for column in columns[1:]]
        table.add_row(*(Text(clean(cell)) for cell in (first, *others)))
    if made.totals is not None and len(made.rows) > 1:
        table.add_section()
        others = [say_cell(made.totals, column) for column in columns[1:]]
        table.add_row(*(Text(clean(cell), "bold") for cell in ("all together", *others)))
    console.print(table)
    for note in made.notes:
        console.print(Text(note, "dim"))
