"""`dripline event`, `runs`, `why`, `mailbox`: say what happened, and see what became of it.

The last three look at the store directly, whether anything runs or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from dripline.cli.asking import EXIT_OURS, WHO, clean, read_settings, refuse
from dripline.cli.event import record_event
from dripline.clock import HouseClock
from dripline.settings import Settings


class Format(StrEnum):
    """How to tell it."""

    text = "text"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("event")(record_event)
    app.command("runs")(show_runs)
    app.command("why")(tell_why)
    app.command("mailbox")(show_mailbox)


def show_runs(
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    lead: Annotated[str | None, typer.Option(help=f"Only runs of this lead. {WHO}")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Only runs that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show runs, newest first, and where each stands."""
    from dripline.store.overview import list_runs
    from dripline.story import standing

    with _house() as house:
        lead_id = house.lead(lead).id if lead else None
        page = list_runs(house.connection, journey, lead_id, True if is_open else None, None, limit)
        if form is Format.json:
            names = (
                "id",
                "journey",
                "lead_id",
                "step",
                "until",
                "started_at",
                "ended_at",
                "outcome",
                "outcome_reason",
            )
            _print_json([{name: getattr(run, name) for name in names} for run in page.rows])
            return
        table = _table("Lead", "Journey", "Where it stands", "Started")
        for run in page.rows:
            name = run.lead_email or run.lead_phone or run.lead_external_id or run.lead_id
            _add(table, name, run.journey, standing(run, house.zone), house.minute(run.started_at))
    _print_table(table, "No runs." if not (journey or lead or is_open) else "No such runs.")
    if page.next:
        typer.echo(f"There are more than {limit}: see --limit.")


def tell_why(
    lead: Annotated[str, typer.Argument(help=WHO)],
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Tell a lead's whole story: every event, step, wait and message, and the reason of each."""
    from dripline.story import tell

    with _house() as house:
        story = tell(house.connection, house.lead(lead), house.clock, house.zone)
    if form is Format.json:
        _print_json(asdict(story))
        return
    known = story.lead
    names = [str(known[name]) for name in ("email", "phone", "external_id") if known.get(name)]
    typer.echo(f"Lead {known['id']}" + (f" ({', '.join(names)})" if names else ""))
    for run in story.runs:
        typer.echo(f"  {run.journey}: {run.text}")
    typer.echo("")
    several = len(story.runs) > 1
    for entry in story.entries:
        journey = f"[{entry.journey}] " if several and entry.journey else ""
        typer.echo(clean(f"{house.say(entry.at):<19}  {journey}{entry.text}"))
    if not story.entries:
        typer.echo("Nothing has happened yet.")


def show_mailbox(
    lead: Annotated[str | None, typer.Option(help=f"Only messages to this lead. {WHO}")] = None,
    show: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Show one message in full; the beginning of its id is enough."),
    ] = None,
    state: Annotated[
        MessageState | None, typer.Option(help="Only messages in this state, say `held`: with the reason.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """Show the messages that runs asked for, newest first, and what became of each."""
    from dripline.store.overview import list_messages

    with _house() as house:
        if show:
            _show_message(house, show)
            return
        lead_id = house.lead(lead).id if lead else None
        rows, more = list_messages(house.connection, lead_id, 0, limit, state and state.value)
        table = _table("Message", "When", "To", "Message as sent", "State")
        for row in rows:
            to = row.recipient or row.lead_email or row.lead_phone or row.lead_id
            content = row.subject or (row.body or f"{row.channel} {row.template}").splitlines()[0]
            fate = f"{row.state}: {row.reason}" if row.reason else row.state
            _add(table, row.id[:12], house.minute(row.accepted_at or row.queued_at), to, content, fate)
    _print_table(table, "No messages yet.")
    if more:
        typer.echo(f"There are more than {limit}: see --limit.")


class MessageState(StrEnum):
    """What may have become of a message, as the ledger says it."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    SKIPPED = "skipped"
    HELD = "held"
    UNCERTAIN = "uncertain"


class _House:
    """The store, as these commands look at it."""

    def __init__(self, connection: Connection, clock: HouseClock, settings: Settings) -> None:
        from dripline.language.workspace import load_workspace

        workspace, problems = load_workspace(settings.workspace)
        if workspace is None:
            refuse("\n".join(map(str, problems)))
        self.connection = connection
        self.clock = clock
        self.zone = workspace.zone
        self._region = workspace.default_region

    def lead(self, text: str) -> Row[Any]:
        """The lead that is meant, or the end of the command."""
        from dripline.ingest.identity import read_reference, resolve
        from dripline.ingest.refusal import Refused
        from dripline.store.leads import read_lead

        try:
            row = read_lead(self.connection, resolve(self.connection, read_reference(text, self._region)))
        except Refused as refusal:
            refuse(refusal.detail)
        if row is None or row.erased_at is not None:
            refuse("This lead was erased; nothing is kept of it any more.")
        return row

    def minute(self, at: datetime) -> str:
        """A time in the workspace's zone, without seconds."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def say(self, at: datetime) -> str:
        """A time in the workspace's zone."""
        from dripline.story import say_time

        return say_time(at, self.zone)


@contextmanager
def _house() -> Iterator[_House]:
    from dripline.store.database import Store
    from dripline.store.overview import house_clock

    settings = read_settings()
    url = settings.store_url()
    if settings.database_url is None and not (settings.data / "dripline.db").exists():
        refuse(f"There is no store in {settings.data} yet: start `dripline up` first.")
    store = Store(url, pool_size=1)
    try:
        clock = house_clock(store)
        with store.read() as connection:
            yield _House(connection, clock, settings)
    except SQLAlchemyError as error:
        refuse(
            f"The store cannot be read ({type(error).__name__}): is it migrated, and is the database up?",
            EXIT_OURS,
        )
    finally:
        store.close()


def _show_message(house: _House, start: str) -> None:
    from dripline.store.overview import find_messages_by_start

    found = find_messages_by_start(house.connection, start)
    if len(found) != 1:
        refuse(
            "There is no such message."
            if not found
            else "Several messages begin like that: give more of the id."
        )
    [row] = found
    facts = {
        "Id": row.id,
        "From": " ".join(part for part in (row.sender_name, row.sender) if part),
        "To": row.recipient,
        "Subject": row.subject,
        "State": f"{row.state}: {row.reason}" if row.reason else row.state,
        "When": house.say(row.accepted_at or row.queued_at),
        "Journey": f"{row.journey} at {row.step}",
    }
    for name, value in facts.items():
        if value:
            typer.echo(clean(f"{name + ':':<9} {value}"))
    typer.echo(
        f"\n{clean(row.body)}"
        if row.body is not None
        else "\nNot written yet: it is rendered the moment it leaves."
    )


def _table(first: str, *others: str) -> Table:
    table = Table()
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row of plain texts: square brackets in them are no markup."""
    table.add_row(*(Text(clean(cell)) for cell in cells))


def _print_table(table: Table, nothing: str) -> None:
    if not table.row_count:
        typer.echo(nothing)
        return
    console = Console()
    if not console.is_terminal:
        console.width = 200  # nobody's window: let lines be long
    console.print(table)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
