"""`dripline task …`: what people are to do for leads."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.person import FORMAT, LEAD, hands, lead_id, said
from dripline.cli.showing import Format, add, new_table, print_json, print_table
from dripline.clock import machine_clock

_ID = Annotated[str, typer.Argument(help="The task's id, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Add `dripline task`."""
    task = typer.Typer(no_args_is_help=True, help="Tasks: what people are to do for leads, by when.")
    task.command("list")(list_them)
    task.command("add")(add_one)
    task.command("done")(done)
    task.command("cancel")(cancel)
    app.add_typer(task, name="task")


def list_them(
    person: Annotated[str | None, typer.Option(help="Only those of this person.")] = None,
    lead: Annotated[
        str | None, typer.Option(help="Only those for this lead: id, your id, e-mail address or number.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are overdue.")] = False,
    form: FORMAT = Format.text,
) -> None:
    """List tasks, the first that is due first."""
    from dripline.store.tasks import list_tasks

    with opened() as house, house.store.read() as connection:
        now = house.clock.to_house(machine_clock())
        rows = list_tasks(
            connection,
            person=person,
            lead_id=house.lead(connection, lead).id if lead else None,
            everything=everything,
            due_before=now if overdue else None,
        )
    if form is Format.json:
        print_json([_told(row) for row in rows])
        return
    table = new_table("task", "due", "person", "what", "lead", "")
    for row in rows:
        state = "done" if row.done_at else "cancelled" if row.cancelled_at else ""
        late = row.due_at is not None and row.due_at <= now and not state
        due = house.minute(row.due_at) if row.due_at else ""
        add(table, row.id[-12:], due, row.person or "", row.title, row.lead_id, "overdue" if late else state)
    print_table(table, "There is nothing to do.")


def add_one(
    lead: LEAD,
    title: Annotated[str, typer.Option(help="What is to be done.")],
    person: Annotated[
        str, typer.Option("--for", help="A person of dripline.yaml; `owner`: who has the lead.")
    ] = "owner",
    due: Annotated[str | None, typer.Option(help="Within how much of their working time, like `4h`.")] = None,
    escalate_to: Annotated[str | None, typer.Option(help="Whose it is once it is overdue.")] = None,
) -> None:
    """Give somebody something to do for a lead."""
    from dripline.language.durations import DurationError, parse_duration

    try:
        length = parse_duration(due) if due else None
    except DurationError as error:
        refuse(f"--due: {error}; {error.hint}.")
    with opened(to_change=True) as house:
        row = said(
            lambda: hands(house).set_task(lead_id(house, lead), title, person, length, escalate_to, who())
        )
        when = f", due {house.minute(row.due_at)}" if row.due_at else ""
    typer.echo(f"Task {row.id[-12:]} for {row.person or 'nobody in particular'}{when}.")


def done(
    task: _ID, result: Annotated[str | None, typer.Option(help="What came of it: journeys read it.")] = None
) -> None:
    """Say that a task is done: journeys that wait for `task.done` go on."""
    with opened(to_change=True) as house:
        said(lambda: hands(house).finish_task(_meant(house, task), who(), result))
    typer.echo("Done.")


def cancel(task: _ID) -> None:
    """Say that a task need not be done. Nobody is told."""
    with opened(to_change=True) as house:
        said(lambda: hands(house).cancel_task(_meant(house, task)))
    typer.echo("Cancelled.")


def _meant(house: Opened, text: str) -> str:
    """The id of the task that is meant: whole, its beginning or its end."""
    from dripline.store.tasks import list_tasks, load_task

    with house.store.read() as connection:
        if load_task(connection, text) is not None:
            return text
        rows = list_tasks(connection, everything=True, limit=100_000)
    ids = [row.id for row in rows if row.id.startswith(text) or row.id.endswith(text)]
    if len(ids) != 1:
        refuse(
            f"There is no task {text}."
            if not ids
            else f"Several tasks are called {text}: write more of the id."
        )
    return str(ids[0])


def _told(row: Any) -> dict[str, Any]:
    names = ("id", "lead_id", "person", "title", "journey", "created_at", "created_by", "due_at", "done_at")
    more = ("done_by", "result", "cancelled_at", "escalate_to", "overdue_at", "escalated_from")
    return {name: getattr(row, name) for name in (*names, *more)}
