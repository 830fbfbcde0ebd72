"""`dripline campaign …`: let an audience into a journey, at a pace, and see how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.ingest.campaigns.telling import Told

_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
_CAMPAIGN = Annotated[str, typer.Argument(help="Its name, or its id; the beginning of the id is enough.")]
_WHY = Annotated[str | None, typer.Option(help="The reason, for those who ask later.")]
_YES = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add `dripline campaign`."""
    campaign = typer.Typer(
        no_args_is_help=True, help="Campaigns: audiences that are let into a journey, at a pace."
    )
    campaign.command("start")(start)
    campaign.command("list")(list_all)
    campaign.command("show")(show)
    campaign.command("pause")(pause)
    campaign.command("resume")(resume)
    campaign.command("cancel")(cancel)
    app.add_typer(campaign, name="campaign")


def start(
    journey: Annotated[str, typer.Argument(help="The journey that they enter.")],
    audience: Annotated[
        str, typer.Option(help="A segment's name, or a condition like \"lead.stage == 'lost'\".")
    ],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    pace: Annotated[
        str | None, typer.Option(help="`500 per hour`; without it, as fast as nobody is held up.")
    ] = None,
    test: Annotated[
        int, typer.Option(min=0, help="Let so many in first; the others when you say `resume`.")
    ] = 0,
    holdout: Annotated[
        str | None, typer.Option(help="`10%`: the part that gets nothing, for comparison.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many they are.")] = False,
    yes: _YES = False,
    form: _FORMAT = Format.text,
) -> None:
    """Let a segment, or all leads for whom a condition holds, into a journey."""
    from dripline.ingest.campaigns.starting import Wanted, count_audience, start_campaign

    wanted = Wanted(journey, audience, name, _pace(pace), test, _percent(holdout))
    with opened(to_change=True) as house:
        with house.store.read() as connection:
            number = _done(lambda: count_audience(connection, house.workspace, wanted))
        if dry_run:
            _say_size(number, form)
            return
        if not yes:
            typer.echo(
                f"{count(number, 'lead')} would enter {journey}, less those whom its re-entry rule bars."
            )
            if not typer.confirm("Let them in?", default=False):
                refuse("Nothing was done.")
        with house.store.write() as connection:
            id_ = _done(lambda: start_campaign(connection, house.workspace, wanted, machine_clock(), who()))
        _show_one(house, id_, form)


def list_all(
    journey: Annotated[str | None, typer.Option(help="Only those of this journey.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 50,
    form: _FORMAT = Format.text,
) -> None:
    """Show campaigns, newest first; of schedules only those that found somebody."""
    from dripline.ingest.campaigns.telling import tell_campaigns
    from dripline.store.campaigns import list_campaigns

    with opened() as house, house.store.read() as connection:
        told = tell_campaigns(connection, list_campaigns(connection, journey, limit))
    if form is Format.json:
        print_json([one.as_json() for one in told])
        return
    table = new_table(
        "campaign", "journey", "audience", "found", "let in", "held out", "refused", "how it stands"
    )
    for one in told:
        numbers = (one.progress.found, one.progress.entered, one.progress.held_out, one.progress.refused)
        said = (f"{number:,}" for number in numbers)
        add(table, one.row.name, one.row.journey, one.row.audience, *said, one.stands)
    print_table(table, "There is no campaign: start one with `dripline campaign start`.")


def show(
    campaign: _CAMPAIGN,
    follow: Annotated[bool, typer.Option("--follow", help="Go on showing it until it is over.")] = False,
    form: _FORMAT = Format.text,
) -> None:
    """Show how far a campaign has come, whom it refused and why, and what became of those it let in."""
    with opened() as house:
        id_ = _found(house, campaign)
        if follow:
            _follow(house, id_)
        _show_one(house, id_, form)


def pause(campaign: _CAMPAIGN, why: _WHY = None) -> None:
    """Let nobody in any more, until it is resumed. Who was let in goes on."""
    from dripline.ingest.campaigns.starting import pause_campaign

    _change(campaign, pause_campaign, why)


def resume(campaign: _CAMPAIGN, why: _WHY = None) -> None:
    """Let it go on: after a pause, or all others after its test group."""
    from dripline.ingest.campaigns.starting import resume_campaign

    _change(campaign, resume_campaign, why)


def cancel(campaign: _CAMPAIGN, why: _WHY = None, yes: _YES = False) -> None:
    """Let nobody in any more, for good. Who was let in goes on: `dripline pause` holds their messages."""
    from dripline.ingest.campaigns.starting import cancel_campaign

    if not yes and not typer.confirm(f"Give {campaign} up for good?", default=False):
        refuse("Nothing was done.")
    _change(campaign, cancel_campaign, why)


def _change(campaign: str, do: Callable[..., Any], why: str | None) -> None:
    with opened(to_change=True) as house:
        id_ = _found(house, campaign)
        with house.store.write() as connection:
            _done(lambda: do(connection, id_, machine_clock(), who(), why))
        _show_one(house, id_, Format.text)


def _follow(house: Opened, id_: str) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("")
        while (told := _told(house, id_)).row.state == "running":
            known = told.progress.found if told.gathered else None
            bar.update(task, description=told.stands, total=known, completed=told.progress.done)
            time.sleep(0.5)


def _told(house: Opened, id_: str) -> Told:
    from dripline.ingest.campaigns.telling import tell_campaigns
    from dripline.store.campaigns import load_campaign

    with house.store.read() as connection:
        row = load_campaign(connection, id_)
        assert row is not None
        return tell_campaigns(connection, [row])[0]


def _show_one(house: Opened, id_: str, form: Format) -> None:
    from dripline.ingest.campaigns.telling import count_reasons, outcomes

    told = _told(house, id_)
    with house.store.read() as connection:
        reasons, came = count_reasons(connection, id_), outcomes(connection, id_)
    if form is Format.json:
        print_json({**told.as_json(), "refusals": reasons, "outcomes": {k: vars(v) for k, v in came.items()}})
        return
    row, progress = told.row, told.progress
    table = new_table(row.name, "")
    add(table, "id", row.id)
    add(table, "journey", row.journey)
    add(table, "audience", row.audience)
    add(table, "how it stands", told.stands)
    add(table, "in its audience", f"{progress.found:,}" + ("" if told.gathered else " so far"))
    add(table, "let in", f"{progress.entered:,}")
    for name, number in (("held out", progress.held_out), ("waiting", progress.waiting)):
        if number:
            add(table, name, f"{number:,}")
    for reason, number in reasons.items():
        add(table, f"refused: {reason}", f"{number:,}")
    for state, one in came.items():
        word = "of those let in" if state == "entered" else "of those held out"
        add(table, f"reached the goal, {word}", f"{one.converted:,} ({100 * one.converted / one.runs:.1f}%)")
    left = told.left(house.clock.to_house(machine_clock()))
    if left is not None:
        add(table, "will take about", f"{max(1, round(left.total_seconds() / 60)):,} minutes more")
    add(table, "started", f"{house.minute(row.created_at)} by {row.created_by or 'somebody'}")
    print_table(table, "")


def _found(house: Opened, text: str) -> str:
    from dripline.store.campaigns import by_start

    with house.store.read() as connection:
        found = by_start(connection, text)
    if not found:
        refuse(f"There is no campaign {text}: `dripline campaign list` shows them.")
    if len(found) > 1:
        refuse(
            f"More than one campaign is called {text}: name it by its id (`dripline campaign list --format json`)."
        )
    return found[0]


def _done(do: Callable[[], Any]) -> Any:
    from dripline.ingest.refusal import Refused

    try:
        return do()
    except Refused as refusal:
        refuse(" ".join([refusal.detail, *(f"{one.field} {one.detail}." for one in refusal.errors)]))


def _pace(text: str | None) -> float | None:
    from dripline.language.durations import DurationError, parse_limit, per_hour

    if text is None:
        return None
    try:
        return per_hour(parse_limit(text))
    except DurationError as error:
        refuse(f"--pace: {error}; {error.hint}.")


def _percent(text: str | None) -> float:
    if text is None:
        return 0.0
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError:
        refuse(f"--holdout: `{text}` is no part of the leads; write it like `10%`.")


def _say_size(number: int, form: Format) -> None:
    if form is Format.json:
        print_json({"found": number})
    else:
        typer.echo(f"{count(number, 'lead')}.")
