"""`dripline key`: what programs come with, made, shown once, replaced and taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.access.scopes import SCOPES
from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, new_table, print_json, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from sqlalchemy import Row

    from dripline.access.keys import NewKey

_WHICH = "The key's name, or how it begins."
_COLUMNS = (
    "id",
    "name",
    "prefix",
    "scopes",
    "per_minute",
    "created_at",
    "created_by",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "replaces",
)

Expires = Annotated[str | None, typer.Option(metavar="LENGTH", help="After what time it ends: 90d.")]


def register(app: typer.Typer) -> None:
    """Add `dripline key` and the commands below it."""
    key = typer.Typer(
        help="The API keys of programs: make, list, replace and revoke them.", no_args_is_help=True
    )
    key.command("create")(create)
    key.command("list")(list_all)
    key.command("rotate")(rotate)
    key.command("revoke")(revoke)
    app.add_typer(key, name="key")


def create(
    name: Annotated[str, typer.Argument(help="What the key is for, for people: the shop, our web site.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; may be repeated: {', '.join(SCOPES)}.")],
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Requests a minute that it is good for.")
    ] = None,
    expires: Expires = None,
) -> None:
    """Make an API key, and show it: once, for only a hash of it is kept.

    For example: dripline key create "the shop" --scope leads:write --scope events:write
    """
    from dripline.access.keys import create_key
    from dripline.access.scopes import UnknownScope, read_scopes

    name = _named(name)
    try:
        scopes = read_scopes(part for given in scope for part in given.replace(",", " ").split())
    except UnknownScope as problem:
        refuse(str(problem))
    with opened(to_change=True) as house, house.store.write() as connection:
        now = machine_clock()
        made = create_key(
            connection,
            name,
            scopes,
            now,
            who(),
            live=house.settings.environment == "production",
            per_minute=per_minute,
            expires_at=_end(expires, now),
        )
    _tell(made)


def list_all(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """List the API keys: how each begins, what it may do, when it was used. The keys themselves are not kept."""
    from dripline.access.keys import is_alive, list_keys

    with opened() as house:
        with house.store.read() as connection:
            rows = list_keys(connection)
        now = machine_clock()
        rows = [row for row in rows if everything or is_alive(row, now)]
        if form is Format.json:
            print_json([{name: getattr(row, name) for name in _COLUMNS} for row in rows])
            return
        table = new_table("Name", "Begins", "May", "Made", "Last used", "Ends")
        for row in rows:
            used = house.minute(row.last_used_at) if row.last_used_at else "never"
            made = f"{house.minute(row.created_at)} by {row.created_by}"
            add(table, row.name, row.prefix, ", ".join(row.scopes), made, used, _ends(house, row, now))
    print_table(table, "No keys. `dripline key create NAME --scope …` makes one.")


def rotate(
    key: Annotated[str, typer.Argument(help=_WHICH)],
    grace: Annotated[
        str, typer.Option(metavar="LENGTH", help="For how long the old one goes on working: 0s, 24h, 7d.")
    ] = "24h",
    expires: Expires = None,
) -> None:
    """Replace an API key by a new one that may do the same. The old one goes on working for a while."""
    from dripline.access.keys import NoSuchKey, choose_key, rotate_key

    with opened(to_change=True) as house, house.store.write() as connection:
        now = machine_clock()
        while_ = _length("--grace", grace)
        try:
            old = choose_key(connection, key, now)
            live = house.settings.environment == "production"
            made = rotate_key(
                connection, old.id, now, who(), live=live, grace=while_, expires_at=_end(expires, now)
            )
        except NoSuchKey as problem:
            refuse(str(problem))
        over = min(filter(None, (old.expires_at, now + while_)))
    _tell(made)
    typer.echo(f"The old one ({old.prefix}…) goes on working until {house.minute(over)}.", err=True)


def revoke(
    key: Annotated[str, typer.Argument(help=_WHICH)],
    why: Annotated[str | None, typer.Option(help="Why: kept in the audit log.")] = None,
) -> None:
    """Take an API key back: within seconds it opens nothing any more."""
    from dripline.access.keys import NoSuchKey, choose_key, revoke_key

    with opened(to_change=True) as house, house.store.write() as connection:
        try:
            row = choose_key(connection, key, machine_clock())
        except NoSuchKey as problem:
            refuse(str(problem))
        revoke_key(connection, row.id, machine_clock(), who(), why)
    typer.echo(f"The key {row.name} ({row.prefix}…) opens nothing any more.")


def _tell(made: NewKey) -> None:
    """The key alone on standard output, so that it can be piped to where it is kept."""
    typer.echo(f"The key {made.name}, shown now and never again:", err=True)
    typer.echo(made.secret)


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name.isprintable() or not 1 <= len(name) <= 100:
        refuse("A key's name has 1 to 100 letters, all of them to be seen.")
    return name


def _end(expires: str | None, now: datetime) -> datetime | None:
    return None if expires is None else now + _length("--expires", expires)


def _length(option: str, text: str) -> timedelta:
    from dripline.language.durations import DurationError, parse_duration

    try:
        length = parse_duration(text)
    except DurationError as problem:
        refuse(f"{option}: {problem}; {problem.hint}.")
    return timedelta(days=length.days + 30 * length.months, seconds=length.seconds)


def _ends(house: Opened, row: Row[Any], now: datetime) -> str:
    if row.revoked_at:
        return f"revoked {house.minute(row.revoked_at)}"
    if row.expires_at is None:
        return ""
    return ("expired " if row.expires_at <= now else "") + house.minute(row.expires_at)
