"""`dripline person …`: who looks after leads, who is away, who gets a lead and why, how well cards are filled in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any, TypeVar

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table

T = TypeVar("T")

LEAD = Annotated[str, typer.Argument(help="The lead: Dripline's id, your id, e-mail address or number.")]
FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
_PERSON = Annotated[str, typer.Argument(help="The name of the person in dripline.yaml.")]


def register(app: typer.Typer) -> None:
    """Add `dripline person`."""
    person = typer.Typer(
        no_args_is_help=True, help="People: who has how many leads, who is away, who gets a lead and why."
    )
    person.command("list")(list_people)
    person.command("assign")(assign)
    person.command("reacted")(reacted)
    person.command("why")(why)
    person.command("away")(away)
    person.command("back")(back)
    person.command("quality")(quality)
    app.add_typer(person, name="person")


def list_people(form: FORMAT = Format.text) -> None:
    """Show everybody of `people`: open leads, how many were won, open tasks, and who is away."""
    from dripline.clock import machine_clock
    from dripline.store.filling import colleagues

    with opened() as house, house.store.read() as connection:
        names = list(house.workspace.people)
        rows = colleagues(connection, names, house.clock.to_house(machine_clock()))
    told = [
        {
            "person": row.name,
            "open": row.record.open,
            "given": row.record.given,
            "won": row.record.won,
            "rate": row.rate,
            "tasks": row.tasks,
            "overdue": row.overdue,
            "away_until": row.away_until,
        }
        for row in rows
    ]
    if form is Format.json:
        print_json(told)
        return
    table = new_table("person", "open leads", "won", "tasks", "overdue", "")
    for row in rows:
        won = f"{row.record.won:,} of {row.record.given:,}"
        won += f" ({row.rate:.0%})" if row.rate is not None else ""
        gone = f"away until {house.minute(row.away_until)}" if row.away_until else ""
        add(table, row.name, f"{row.record.open:,}", won, f"{row.tasks:,}", f"{row.overdue:,}", gone)
    print_table(table, "The workspace has no people: declare them under `people` in dripline.yaml.")


def assign(
    lead: LEAD,
    to: Annotated[str, typer.Option(help="A team or a person of dripline.yaml.")],
    by: Annotated[
        str | None, typer.Option(help="best-first, round-robin or load, instead of the team's own rule.")
    ] = None,
    form: FORMAT = Format.text,
) -> None:
    """Give a lead to a person, or to one of a team, now."""
    from typing import get_args

    from dripline.language.people import Rule

    if by is not None and by not in get_args(Rule):
        refuse(f"There is no rule {by}: write best-first, round-robin or load.")
    with opened(to_change=True) as house:
        rule: Any = by
        choice = said(lambda: hands(house).assign(lead_id(house, lead), to, rule))
    looked = [{"person": one.person, "taken": one.taken, "why": one.why} for one in choice.looked]
    if form is Format.json:
        print_json({"person": choice.person, "how": choice.how, "looked": looked})
        return
    typer.echo(f"{choice.person} has the lead now." if choice.person else "Nobody can be had.")
    for one in choice.looked:
        typer.echo(f"  {one.person} {one.why}")
    if choice.person is None:
        raise typer.Exit(1)


def reacted(lead: LEAD) -> None:
    """Say that whoever has the lead has seen to it: nobody else gets it."""
    with opened(to_change=True) as house:
        new = said(lambda: hands(house).reacted(lead_id(house, lead)))
    typer.echo("Noted." if new else "Nobody was waited for.")


def why(lead: LEAD, form: FORMAT = Format.text) -> None:
    """Say who was given the lead, when, and why just they."""
    from dripline.store.assignments import assignments_of
    from dripline.story.hands import say_end

    with opened() as house, house.store.read() as connection:
        rows = assignments_of(connection, house.lead(connection, lead).id)
    if form is Format.json:
        names = (
            "person",
            "team",
            "at",
            "how",
            "why",
            "journey",
            "react_by",
            "reacted_at",
            "ended_at",
            "ended",
        )
        print_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    if not rows:
        typer.echo("Nobody was given this lead yet.")
    for row in rows:
        by = f" by {row.journey}" if row.journey else ""
        typer.echo(f"{house.minute(row.at)}  {row.person or 'nobody'} ({row.how}{by})")
        for one in row.why:
            typer.echo(f"    {one['person']} {one['why']}")
        if row.reacted_at:
            typer.echo(f"    reacted {house.minute(row.reacted_at)}")
        elif row.react_by and not row.ended_at:
            typer.echo(f"    must react by {house.minute(row.react_by)}")
        if row.ended and row.person:
            typer.echo(f"    until {house.minute(row.ended_at)}: {say_end(row.ended)}")


def away(
    person: _PERSON,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="The last day, or the moment.")
    ],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="The first day; without it, now."),
    ] = None,
) -> None:
    """Say that somebody is away: they are given no leads meanwhile. Those that they have, they keep."""
    from dripline.clock import machine_clock

    with opened(to_change=True) as house:
        now = house.clock.to_house(machine_clock())
        begins = now if since is None else since.replace(tzinfo=house.zone)
        ends = _end(until).replace(tzinfo=house.zone)
        said(lambda: hands(house).away(person, begins, ends, who()))
    typer.echo(f"{person} is away until {house.minute(ends)}.")


def back(person: _PERSON) -> None:
    """Say that somebody is back, and not away later either."""
    with opened(to_change=True) as house:
        ended = said(lambda: hands(house).back(person))
    typer.echo(f"{person} is back." if ended else f"{person} was not away.")


def quality(form: FORMAT = Format.text) -> None:
    """Show how well the cards of leads and customers are filled in, by who looks after them."""
    from dripline.store.filling import quality as found_quality

    with opened() as house:
        cards = house.workspace.cards
        if cards is None:
            refuse("It is not said what is to be known: declare `cards` in dripline.yaml.")
        with house.store.read() as connection:
            found = found_quality(connection, cards)
    if form is Format.json:
        print_json([{"person": name, **_told(one)} for name, one in found.items()])
        return
    table = new_table(
        "person", "leads", "filled in", "whole", "customers", "filled in", "whole", "empty most often"
    )
    for name, one in sorted(found.items(), key=lambda pair: pair[0] or "~"):
        often = (one.leads.empty + one.customers.empty).most_common(3)
        add(
            table,
            name or "nobody",
            f"{one.leads.cards:,}",
            _share(one.leads),
            f"{one.leads.whole:,}",
            f"{one.customers.cards:,}",
            _share(one.customers),
            f"{one.customers.whole:,}",
            ", ".join(f"{field} ({number:,})" for field, number in often),
        )
    print_table(table, "There are no leads yet.")


def _told(one: Any) -> dict[str, Any]:
    return {
        kind: {
            "cards": cards.cards,
            "whole": cards.whole,
            "share": cards.share,
            "empty": dict(cards.empty.most_common()),
        }
        for kind, cards in (("leads", one.leads), ("customers", one.customers))
    }


def _share(cards: Any) -> str:
    return "" if cards.share is None else f"{cards.share:.0%}"


def _end(until: datetime) -> datetime:
    """A day without a time is meant whole."""
    if until.time() != time():
        return until
    return datetime.combine(date.fromordinal(until.date().toordinal() + 1), time())


def hands(house: Opened) -> Any:
    """What people do with leads, in this store."""
    from dripline.ingest.hands import Hands

    return Hands(house.store, house.workspace)


def lead_id(house: Opened, lead: str) -> str:
    """The id of the lead that is meant, or the end of the command."""
    with house.store.read() as connection:
        return str(house.lead(connection, lead).id)


def said(do: Callable[[], T]) -> T:
    """What it answers, or the end of the command with what was wrong."""
    from dripline.ingest.refusal import Refused

    try:
        return do()
    except Refused as refusal:
        fields = "".join(f"\n  {one.field} {one.detail}" for one in refusal.errors)
        refuse(refusal.detail + fields)


__all__ = ["FORMAT", "LEAD", "count", "hands", "lead_id", "register", "said"]
