"""`dripline erase`: forget a lead, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dripline.cli.asking import WHO, refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import count

if TYPE_CHECKING:
    from dripline.privacy.erasing import Erased

_TOLD = {
    "identities": "identity",
    "events": "event",
    "runs": "run",
    "messages": "message",
    "mailbox": "copy in the mailbox",
    "inbound": "answer",
    "consents": "line of the log of consent",
    "touches": "touch",
    "hits": "open or click",
    "discounts": "discount",
    "merges": "merge",
    "import_rows": "imported row",
}
"""How tables are told, where a lead has rows in them."""

_PLURALS = {
    "identity": "identities",
    "copy in the mailbox": "copies in the mailbox",
    "line of the log of consent": "lines of the log of consent",
    "touch": "touches",
    "open or click": "opens and clicks",
}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("erase")(erase)


def erase(
    lead: Annotated[str, typer.Argument(help=WHO)],
    why: Annotated[
        str | None, typer.Option(help="Why, for the audit log: say nothing there that tells who it was.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a lead for good, with everybody who was merged into it: nobody can bring it back.

    Its journeys end, what waits to be sent is not sent, and everything that tells of it goes: profile, events,
    texts of messages, answers, proofs. What is counted stays, without the person. Its addresses stay on the
    suppression list as keyed hashes, so that no later import makes us write to them again.
    """
    from dripline.ingest.refusal import Refused
    from dripline.privacy.erasing import Eraser
    from dripline.privacy.journal import Journal

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            lead_id = house.lead(connection, lead).id
        secret = house.settings.secret.get_secret_value() if house.settings.secret else None
        eraser = Eraser(house.store, secret, Journal(house.settings.data))
        try:
            _tell(eraser.preview(lead_id))
            if not yes and not typer.confirm("Erase it for good?", default=False):
                refuse("Nothing was done.")
            done = eraser.erase(lead_id, who(), why)
        except Refused as refusal:
            refuse(refusal.detail)
        _tell_done(house, done)


def _tell(found: Erased) -> None:
    rows = [_count(found.rows[name], noun) for name, noun in _TOLD.items() if name in found.rows]
    typer.echo(f"Lead {found.leads[0]}" if len(found.leads) == 1 else f"Leads {', '.join(found.leads)}")
    typer.echo(f"  goes: the profile{''.join(f', {row}' for row in rows)}")
    if found.runs_ended:
        typer.echo(f"  ends: {count(found.runs_ended, 'run')}")
    if found.messages_skipped:
        typer.echo(f"  not sent: {count(found.messages_skipped, 'message')}")
    if found.on_their_way:
        typer.echo(f"  on the way to a provider, and may still leave: {count(found.on_their_way, 'message')}")


def _tell_done(house: Opened, done: Erased) -> None:
    from pathlib import Path

    from dripline.store.backup import replaced

    typer.echo("Erased.")
    if done.addresses:
        kept = f"{_count(done.addresses, 'address')}, kept as keyed hashes"
        typer.echo(f"Not written to again unless it signs up itself: {kept}.")
    if house.store.is_sqlite:
        old = replaced(Path(house.store.engine.url.database or ""))
        if old.exists():
            typer.echo(f"The store that a restore replaced still holds it: remove {old}.")
    typer.echo("Backups still hold it until they are thrown away; a restore erases it again.")


def _count(number: int, noun: str) -> str:
    plural = {**_PLURALS, "address": "addresses"}.get(noun)
    return f"{number:,} {plural}" if plural and number != 1 else count(number, noun)
