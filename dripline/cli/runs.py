"""`dripline runs`: where everybody stands; `dripline runs retry`: go on with those that stopped for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dripline.cli import steering
from dripline.cli.answering import answer_each, choose, confirm
from dripline.cli.asking import WHO, refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table

if TYPE_CHECKING:
    from dripline.store.held import Held

COLUMNS = (
    "id",
    "journey",
    "lead_id",
    "step",
    "until",
    "started_at",
    "ended_at",
    "outcome",
    "outcome_reason",
    "holdout",
    "parked_reason",
)


def register(app: typer.Typer) -> None:
    """Add `dripline runs` and `dripline runs retry`."""
    runs = typer.Typer(invoke_without_command=True)
    runs.callback()(show_runs)
    runs.command("retry")(retry_runs)
    steering.register(runs)
    app.add_typer(runs, name="runs")


def show_runs(
    context: typer.Context,
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    lead: Annotated[str | None, typer.Option(help=f"Only runs of this lead. {WHO}")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Only runs that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show runs, newest first, and where each stands; `runs move`, `skip`, `end` and `retry` change it."""
    if context.invoked_subcommand is not None:
        return
    from dripline.store.overview import list_runs
    from dripline.store.plans import load_plan
    from dripline.story import standing

    with opened() as house, house.store.read() as connection:
        lead_id = house.lead(connection, lead).id if lead else None
        page = list_runs(connection, journey, lead_id, True if is_open else None, None, limit)
        if form is Format.json:
            print_json([{name: getattr(run, name) for name in COLUMNS} for run in page.rows])
            return
        table = new_table("Lead", "Journey", "Step", "Where it stands", "Started")
        for run in page.rows:
            name = run.lead_email or run.lead_phone or run.lead_external_id or run.lead_id
            stands = standing(run, house.zone, load_plan(connection, run.plan_hash))
            add(table, name, run.journey, run.step or "", stands, house.minute(run.started_at))
    print_table(table, "No runs." if not (journey or lead or is_open) else "No such runs.")
    if page.next:
        typer.echo(f"There are more than {limit}: see --limit.")


def retry_runs(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Runs, as `dripline held` names them; beginnings are enough.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that stopped, less what is left out.")
    ] = False,
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those whose reason contains this.")] = None,
    where: steering.Where = None,
    may_double: Annotated[
        bool,
        typer.Option("--may-double", help="Also those that may send again what was sent before a restore."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Let runs that stopped for a person try again where they stand.

    A run stops (it is parked) when a condition cannot be evaluated. Mend the cause first: say, the lead's data.
    """
    from dripline.store.answers import send_held
    from dripline.store.held import Wanted

    with opened(to_change=True) as house:
        wanted = Wanted(("parked",), journey, None, reason, tuple(ids or ()))
        chosen = choose(house, wanted, everything)
        if where is not None:
            chosen = _holding(house, chosen, where)
        if not chosen:
            refuse("There is no such run that stopped.") if ids else typer.echo("No run has stopped.")
            return
        chosen = confirm(house, chosen, "Try again with", may_double=may_double, yes=yes)
        done = answer_each(house, chosen, send_held, "send-held")
    typer.echo(f"{count(done, 'run')} will try again in a moment.")
    if done < len(chosen):
        refuse(f"{count(len(chosen) - done, 'run')} had gone on or ended in the meantime.")


def _holding(house: Opened, chosen: list[Held], where: str) -> list[Held]:
    """Those for which the condition holds."""
    from dripline.cli.condition import read_condition
    from dripline.store.choosing import Choice, open_runs

    condition = read_condition(house, where)
    assert condition is not None
    held = {one.id: one for one in chosen}
    with house.store.read() as connection:
        return [
            held[run.id]
            for chunk in open_runs(connection, Choice())
            for run, _ in condition.holding(connection, [pair for pair in chunk if pair[0].id in held])
        ]
