"""`dripline lead merge`, `unmerge`, `merges`: one lead of two, two again of one, and how it came."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import WHO, clean, refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import add, count, new_table, print_table

if TYPE_CHECKING:
    from dripline.ingest.merging.merge import Merged
    from dripline.ingest.service import Ingest

_FOLLOWS = {
    "identities": "identity",
    "events": "event",
    "runs": "run",
    "messages": "message",
    "discounts": "discount",
    "referral_codes": "code for friends",
    "referrals": "friend brought",
    "touches": "touch",
    "consents": "line of the log of consent",
    "inbound": "answer",
    "memberships": "group",
    "import_rows": "imported row",
}
_PLURALS = {
    "code for friends": "codes for friends",
    "friend brought": "friends brought",
    "identity": "identities",
    "touch": "touches",
    "line of the log of consent": "lines of the log of consent",
}


def add_merging(lead: typer.Typer) -> None:
    """Add the commands of this file to `dripline lead`."""
    lead.command("merge")(merge_leads)
    lead.command("unmerge")(undo_merge)
    lead.command("merges")(list_merges)


def merge_leads(
    one: Annotated[str, typer.Argument(help=WHO)],
    other: Annotated[str, typer.Argument(help=WHO)],
    into: Annotated[
        str | None, typer.Option(help="Which of the two goes on; without it, the known one, else the older.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="Why, for the audit log: no names.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make one lead of two that are one person: nothing is lost, and no consent is widened.

    Runs, messages, discounts and events follow. Where both are in one journey, the run that sent more goes on.
    `dripline lead unmerge` takes it back.
    """
    from dripline.ingest.refusal import Refused

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            ids = [house.lead(connection, text).id for text in (one, other)]
            goes_on = house.lead(connection, into).id if into else None
        ingest = _ingest(house)
        try:
            _tell(ingest.merge_leads(ids[0], ids[1], "command", into=goes_on, dry_run=True))
            if not yes and not typer.confirm("Merge them?", default=False):
                refuse("Nothing was done.")
            done = ingest.merge_leads(ids[0], ids[1], "command", into=goes_on, by=who(), why=why)
        except Refused as refusal:
            refuse(refusal.detail)
        typer.echo(f"Merged. To take it back: dripline lead unmerge {done.id}")


def undo_merge(
    merge: Annotated[str, typer.Argument(help="The id of a merge, as `dripline lead merges LEAD` shows it.")],
    why: Annotated[str | None, typer.Option(help="Why, for the audit log: no names.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a merge back: both leads have again what they had, and what happened since stays.

    A run that ended by the merge stays ended. A no that was said since holds for both.
    """
    from dripline.ingest.refusal import Refused

    with opened(to_change=True) as house:
        ingest = _ingest(house)
        try:
            seen = ingest.undo_merge(merge, dry_run=True)
            typer.echo(f"Lead {seen.other_id} is a lead of its own again; {seen.lead_id} goes on.")
            if seen.kept:
                typer.echo(f"  stays as it is by now: {', '.join(seen.kept)}")
            if not yes and not typer.confirm("Take it back?", default=False):
                refuse("Nothing was done.")
            ingest.undo_merge(merge, by=who(), why=why)
        except Refused as refusal:
            refuse(refusal.detail)
        typer.echo("Taken back.")


def list_merges(lead: Annotated[str, typer.Argument(help=WHO)]) -> None:
    """Show the merges that made a lead what it is, oldest first."""
    from dripline.store.merges import merges_of

    with opened() as house, house.store.read() as connection:
        rows = merges_of(connection, house.lead(connection, lead).id)
        table = new_table("Merge", "When", "Who goes on", "Who became it", "Why", "Taken back")
        for row in rows:
            because = row.cause + (f" by {row.by}" if row.by else "")
            undone = f"{house.minute(row.undone_at)} by {row.undone_by or '?'}" if row.undone_at else ""
            add(table, row.id, house.minute(row.at), row.winner_id, row.loser_id, because, undone)
    print_table(table, "It was never merged.")


def _ingest(house: Opened) -> Ingest:
    from dripline.ingest.service import Ingest

    return Ingest(house.store, house.workspace)


def _tell(found: Merged) -> None:
    typer.echo(f"Lead {found.loser_id} becomes lead {found.winner_id}.")
    for name in found.changed:
        before, after = _value(found.before, name), _value(found.made, name)
        typer.echo(clean(f"  {name}: {before} → {after}"))
    follows = [
        f"{found.moved[name]:,} {_PLURALS[noun]}"
        if noun in _PLURALS and found.moved[name] != 1
        else count(found.moved[name], noun)
        for name, noun in _FOLLOWS.items()
        if name in found.moved
    ]
    typer.echo(f"  follows: {', '.join(follows) or 'nothing'}")
    if found.ended:
        typer.echo(f"  ends, as the other run of the same journey goes on: {count(len(found.ended), 'run')}")
    if found.held_out:
        typer.echo(f"  of the control group from now on: {count(len(found.held_out), 'run')}")


def _value(columns: Any, name: str) -> str:
    """A value in a line; `-` where there is none."""
    value = columns[name] if name in columns else columns["attributes"].get(name)
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_word(one)}" for key, one in sorted(value.items()))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
