"""`dripline suppress`, `unsuppress`, `suppressions`, `skipped`: who is not written to, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import add, count, new_table, print_table

if TYPE_CHECKING:
    from dripline.ingest.suppressing import Address, Suppressions

_WHY = "Why, for your colleagues: kept in the audit log. No names."
_ADDRESS = "An e-mail address, or a phone number."
_REASON = "bounced, complained, 'by hand', unsubscribed or soft-bounced: as another system knows it."
_TOLD = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("suppress")(suppress)
    app.command("unsuppress")(unsuppress)
    app.command("suppressions")(suppressions)
    app.command("skipped")(skipped)


def suppress(
    address: Annotated[str | None, typer.Argument(help=_ADDRESS)] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file of addresses instead: `address`, `email` or `phone`, perhaps `channel`, `reason`."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help=_REASON)] = "by hand",
    why: Annotated[str | None, typer.Option(help=_WHY)] = None,
) -> None:
    """Put an address on the suppression list, or a file of them: no marketing goes there any more.

    Whether a lead has it or not. Only a keyed hash is kept. `bounced` stops transactional messages too.
    """
    from dripline.store.suppressions import REASONS

    if (address is None) == (file is None):
        refuse("Say an address, or --file FILE.")
    if reason not in REASONS:
        refuse(f"--reason is one of {', '.join(REASONS)}.")
    with opened(to_change=True) as house:
        if file is not None:
            _suppress_file(house, file, reason, why)
            return
        one = _read(house, address or "")
        entry, new = _list(house).put(one, reason, who(), why)
        said = f"{one.text} is on the suppression list: {entry.reason}"
        typer.echo(f"{said}." if new else f"{said}, since {house.say(entry.since)}; nothing was changed.")


def unsuppress(
    address: Annotated[str, typer.Argument(help=_ADDRESS)],
    why: Annotated[str, typer.Option(help=_WHY)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Also if a message was reported as spam.")] = False,
) -> None:
    """Take an address off the suppression list. What its lead agreed to stays as it is."""
    from dripline.ingest.refusal import Refused

    if not why.strip():
        refuse("--why says why it may be written to again.")
    with opened(to_change=True) as house:
        one = _read(house, address)
        try:
            reason = _list(house).take_off(one, why, who(), complaint=yes)
        except Refused as refusal:
            hint = " Say --yes if it shall be." if refusal.code == "complained" else ""
            refuse(refusal.detail + hint)
        typer.echo(f"{one.text} is off the suppression list, where it was as {reason}.")
        typer.echo("What its lead agreed to stays as it was: `dripline lead consent` tells it.")


def suppressions(
    address: Annotated[str | None, typer.Argument(help=f"{_ADDRESS} Without it: how many there are.")] = None,
) -> None:
    """Whether an address is on the suppression list; without one, how many there are for which reason."""
    from dripline.store.suppressions import counted_by_reason, put_by_hand

    with opened() as house:
        if address is not None:
            one = _read(house, address)
            entry = _list(house).look_up(one)
            if entry is None:
                typer.echo(f"{one.text} is not on the suppression list.")
                return
            by = f", by {entry.by}" if entry.by else ""
            why = f": {entry.why}" if entry.why else ""
            since = f"since {house.say(entry.since)} as {entry.reason}{by}"
            typer.echo(f"{one.text} is on the suppression list {since}{why}")
            return
        with house.store.read() as connection:
            numbers, by_hand = counted_by_reason(connection), put_by_hand(connection)
        table = new_table("Channel", "Reason", "Addresses")
        for row in numbers:
            add(table, row.channel, row.reason, f"{row.number:,}")
        print_table(table, "No address is on the suppression list.")
        if by_hand:
            table = new_table("Since", "Channel", "Reason", "By", "Why")
            for row in by_hand:
                add(table, house.minute(row.created_at), row.channel, row.reason, row.by or "", row.why or "")
            print_table(table, "")


def skipped(
    journey: Annotated[str | None, typer.Option(help="Of this journey alone.")] = None,
) -> None:
    """Why messages were not sent: how many for which reason, most first."""
    from dripline.store.left_out import count_left_out

    with opened() as house, house.store.read() as connection:
        rows = count_left_out(connection, journey)
    table = new_table("Reason", "Channel", "Messages")
    for reason, channel, number in rows:
        add(table, reason, channel, f"{number:,}")
    print_table(table, "No message was skipped.")


def _list(house: Opened) -> Suppressions:
    from dripline.ingest.suppressing import Suppressions

    secret = house.settings.secret
    return Suppressions(house.store, secret.get_secret_value() if secret else None)


def _read(house: Opened, text: str) -> Address:
    from dripline.ingest.refusal import Refused
    from dripline.ingest.suppressing import read_address

    try:
        return read_address(text, house.workspace.default_region)
    except Refused as refusal:
        refuse(f"This {refusal.errors[0].detail}.")


def _suppress_file(house: Opened, file: Path, reason: str, why: str | None) -> None:
    wrong: list[str] = []
    new = known = 0
    for changed in _list(house).put_all(
        _of_file(house, file, reason, wrong), who(), why or f"from {file.name}"
    ):
        new, known = new + changed, known + (not changed)
    typer.echo(f"Put on the suppression list: {new:,}. Had been there: {known:,}.")
    if wrong:
        for line in wrong[:_TOLD]:
            typer.echo(line, err=True)
        more = f" {len(wrong) - _TOLD:,} more are not shown." if len(wrong) > _TOLD else ""
        refuse(f"Left out: {count(len(wrong), 'row')}.{more}")


def _of_file(house: Opened, file: Path, reason: str, wrong: list[str]) -> Iterator[tuple[Address, str]]:
    """The addresses of a file with their reasons; what cannot be read is told in `wrong`."""
    from dripline.ingest.refusal import Refused
    from dripline.ingest.suppressing import read_address
    from dripline.ingest.tables import TableError, look_at
    from dripline.store.suppressions import REASONS

    try:
        found = look_at(file)
    except TableError as error:
        refuse(f"{error}.")
    names = [name.casefold() for name in found.header]
    columns = [
        names.index(name) for name in ("address", "email", "e-mail", "phone", "number") if name in names
    ]
    first = []
    if not columns:  # no names: the first line is an address already
        columns = [number for number, name in enumerate(names) if "@" in name or name.startswith("+")][:1]
        first = [(1, found.header)]
    if not columns:
        refuse(f"{file} has no column `address`, `email` or `phone`.")
    rows = [*first, *((row.line, row.cells) for row in found.read() if not row.problem)]
    for line, cells in rows:
        said = dict(zip(names, cells, strict=False))
        why = said.get("reason", "").strip() or reason
        text = next(
            (cells[column] for column in columns if column < len(cells) and cells[column].strip()), ""
        )
        try:
            if why not in REASONS:
                wrong.append(f"{file}:{line}: the reason is none of {', '.join(REASONS)}")
                continue
            channel = said.get("channel", "").strip().lower() or None
            if channel not in (None, "email", "sms"):
                wrong.append(f"{file}:{line}: the channel is neither email nor sms")
                continue
            yield read_address(text, house.workspace.default_region, channel), why
        except Refused as refusal:
            wrong.append(f"{file}:{line}: the address {refusal.errors[0].detail}")
