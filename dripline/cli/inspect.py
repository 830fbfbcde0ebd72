"""`dripline event`, `why`, `mailbox`: say what happened, and see what became of it.

The last two look at the store directly, whether anything runs or not.
"""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy import Connection

from dripline.cli.asking import WHO, clean, refuse
from dripline.cli.event import record_event
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, new_table, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("event")(record_event)
    app.command("why")(tell_why)
    app.command("mailbox")(show_mailbox)


def tell_why(
    lead: Annotated[str, typer.Argument(help=WHO)],
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Tell a lead's whole story: every event, step, wait and message, and the reason of each."""
    from dripline.story import tell

    with opened() as house, house.store.read() as connection:
        story = tell(connection, house.lead(connection, lead), house.clock, house.zone)
    if form is Format.json:
        print_json(asdict(story))
        return
    known = story.lead
    names = [str(known[name]) for name in ("email", "phone", "external_id") if known.get(name)]
    typer.echo(f"Lead {known['id']}" + (f" ({', '.join(names)})" if names else ""))
    if story.besides:
        typer.echo(clean(f"  also found by {', '.join(story.besides)}"))
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

    with opened() as house, house.store.read() as connection:
        if show:
            _show_message(house, connection, show)
            return
        lead_id = house.lead(connection, lead).id if lead else None
        rows, more = list_messages(connection, lead_id, 0, limit, state and state.value)
        table = new_table("Message", "When", "To", "Message as sent", "State")
        for row in rows:
            to = row.recipient or row.lead_email or row.lead_phone or row.lead_id
            content = row.subject or (row.body or f"{row.channel} {row.template}").splitlines()[0]
            fate = f"{row.state}: {row.reason}" if row.reason else row.state
            add(table, row.id[:12], house.minute(row.accepted_at or row.queued_at), to, content, fate)
    print_table(table, "No messages yet.")
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


def _show_message(house: Opened, connection: Connection, start: str) -> None:
    from dripline.store.overview import find_messages_by_start
    from dripline.story.hits import hits_of, summary

    found = find_messages_by_start(connection, start)
    if len(found) != 1:
        refuse(
            "There is no such message."
            if not found
            else "Several messages begin like that: give more of the id."
        )
    [row] = found
    came = {what.capitalize(): said for what, said in summary(hits_of(connection, [row.id]))}
    facts = {
        "Id": row.id,
        "From": " ".join(part for part in (row.sender_name, row.sender) if part),
        "To": row.recipient,
        "Subject": row.subject,
        "State": f"{row.state}: {row.reason}" if row.reason else row.state,
        "When": house.say(row.accepted_at or row.queued_at),
        "Journey": f"{row.journey} at {row.step}",
        **came,
    }
    for name, value in facts.items():
        if value:
            typer.echo(clean(f"{name + ':':<9} {value}"))
    typer.echo(
        f"\n{clean(row.body)}"
        if row.body is not None
        else "\nNot written yet: it is rendered the moment it leaves."
    )
