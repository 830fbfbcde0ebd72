"""`dripline backup` and `dripline restore`: a copy of the whole store, and its return."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from dripline.cli.asking import EXIT_OURS, read_settings, refuse
from dripline.cli.opening import opened, who
from dripline.cli.showing import count
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.settings import Settings
    from dripline.store.restored import Review


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the copy.")],
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file of that name.")] = False,
) -> None:
    """Copy the whole store to a file, while everything runs. Temporal needs no backup: the store rebuilds it.

    SQLite: a file that is whole or not there at all. PostgreSQL: by pg_dump, which must be installed.
    """
    from dripline.store.audit import record_act
    from dripline.store.backup import BackupError, back_up

    if file.exists() and not replace:
        refuse(f"{file} is there already: name another, or say --replace.")
    with opened(to_change=True) as house:
        with house.store.write() as connection:  # so that the copy knows of when it is
            record_act(connection, "backup", who(), None, machine_clock())
        try:
            with Console(stderr=True).status("Copying the store …"):
                size = back_up(house.store, file)
        except BackupError as reason:
            refuse(f"{_sentence(reason)}.", EXIT_OURS)
    typer.echo(f"Wrote {file} ({size / 1e6:,.1f} MB). It holds everything of your leads: keep it safe.")
    if house.settings.secret is not None:
        typer.echo("DRIPLINE_SECRET is not in it: keep that with it.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `dripline backup` wrote.")],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Put it in the place of a store that is in use.")
    ] = False,
) -> None:
    """Put a backup in the place of the store. Stop everything first.

    What may have happened since the backup is held for you: messages that were waiting then may have left, and
    runs whose time has come may have gone on. `dripline held` shows them. Ids stay the same, so that late
    reports find their messages; the workflows are rebuilt.
    """
    from dripline.stack.up import CannotStart, alone
    from dripline.store.backup import BackupError
    from dripline.store.backup import restore as put_back
    from dripline.store.migrate import StoreTooNew

    settings = read_settings()
    try:
        with alone(settings.data):
            erased = _erased(settings)
            _may_replace(settings, yes=yes)
            with Console(stderr=True).status("Restoring …"):
                found = put_back(settings.store_url(), file, machine_clock())
                again = _erase_again(settings, erased)
            _tell(found, settings)
            if again:
                typer.echo(f"Erased again, as since the backup: {count(again, 'lead')}.")
    except (BackupError, CannotStart, StoreTooNew) as reason:
        refuse(f"{_sentence(reason)}.")
    except SQLAlchemyError as error:
        refuse(f"The database does not answer as it should ({type(error).__name__}).", EXIT_OURS)


def _may_replace(settings: Settings, *, yes: bool) -> None:
    from dripline.store.backup import BackupError, is_empty, others
    from dripline.store.database import Store

    if settings.database_url is None and not (settings.data / "dripline.db").exists():
        return
    store = Store(settings.store_url(), pool_size=1)
    try:
        if not is_empty(store) and not yes:
            refuse("There is a store with leads already; --yes puts the backup in its place.")
        if not store.is_sqlite and (number := others(store)):
            raise BackupError(
                f"{count(number, 'connection')} to the database: stop what uses it (dripline serve, worker) first"
            )
    finally:
        store.close()


def _erased(settings: Settings) -> list[str]:
    """Whom the store that is replaced has erased, and the journal beside it."""
    from dripline.privacy.journal import Journal, all_of, erased_in
    from dripline.store.database import Store

    known = Journal(settings.data).read()
    if settings.database_url is None and not (settings.data / "dripline.db").exists():
        return known
    store = Store(settings.store_url(), pool_size=1)
    try:
        return all_of(known, erased_in(store))
    finally:
        store.close()


def _erase_again(settings: Settings, lead_ids: list[str]) -> int:
    from dripline.privacy.erasing import Eraser
    from dripline.store.database import Store

    if not lead_ids:
        return 0
    secret = settings.secret.get_secret_value() if settings.secret else None
    store = Store(settings.store_url(), pool_size=1)
    try:
        return Eraser(store, secret).again(lead_ids, who())
    finally:
        store.close()


def _tell(found: Review, settings: Settings) -> None:
    from sqlalchemy import make_url

    from dripline.store.backup import replaced

    of = f" of {found.taken_at:%Y-%m-%d %H:%M} UTC" if found.taken_at else ""
    typer.echo(f"Restored the backup{of}.")
    url = make_url(settings.store_url())
    if url.get_backend_name() == "sqlite":
        old = replaced(Path(url.database or ""))
        if old.exists():
            typer.echo(f"The store that was there is kept as {old}.")
    if found.messages or found.runs:
        typer.echo(
            f"Held for you: {count(found.messages, 'message')} that may have been sent since, and"
            f" {count(found.runs, 'run')} that may have gone on. Look at them with `dripline held`."
        )
    typer.echo("What came in after the backup is not in it: let those systems send it again that can.")


def _sentence(reason: Exception) -> str:
    text = str(reason)
    return text[:1].upper() + text[1:]
