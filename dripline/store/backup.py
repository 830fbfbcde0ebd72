"""Copies of the whole store: an SQLite file by its online backup, PostgreSQL by its own programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from sqlalchemy import URL, func, inspect, make_url, select, text
from sqlalchemy.exc import DatabaseError

from dripline.store.database import Store
from dripline.store.migrate import StoreTooNew, migrate, revision_is_known
from dripline.store.restored import Review, review
from dripline.store.schema import events, leads

_MAGIC = b"PGDMP"  # of pg_dump's custom format
_WAIT = 1.0  # seconds for others to let go of the file


class BackupError(Exception):
    """It was not done, and nothing was changed. Says why, and what to do."""


def back_up(store: Store, target: Path) -> int:
    """Write a copy of the store, as it is at one moment, while it is in use; the size in bytes.

    The file appears whole or not at all, and is for its owner's eyes alone. Raises BackupError.
    """
    with _whole_or_not(target) as part:
        if store.is_sqlite:
            _copy_sqlite(Path(store.engine.url.database or ""), part)
        else:
            url, environment = _libpq(store.engine.url)
            _run(
                "pg_dump",
                ["--format=custom", "--no-owner", "--file", str(part), "--dbname", url],
                environment,
            )
    return target.stat().st_size


def restore(url: str, source: Path, machine_now: datetime) -> Review:
    """Put the copy in the place of the store, with everything that may have happened since held for review.

    Nothing else may use the store. Raises BackupError, StoreTooNew.
    """
    try:
        with source.open("rb") as file:
            is_dump = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror}") from None
    parsed = make_url(url)
    if is_dump == (parsed.get_backend_name() == "sqlite"):
        kind = "PostgreSQL" if is_dump else "SQLite"
        raise BackupError(
            f"{source} is no backup of such a store: it was made of {kind}, or of something else"
        )
    return (
        _restore_dump(parsed, source, machine_now)
        if is_dump
        else _restore_file(Path(parsed.database or ""), source, machine_now)
    )


def is_empty(store: Store) -> bool:
    """Whether nothing would be lost by putting another store in its place: of a damaged one nobody knows."""
    try:
        return _holds_nothing(store)
    except DatabaseError:
        return False


def _holds_nothing(store: Store) -> bool:
    with store.read() as connection:
        if not inspect(connection).has_table(leads.name):
            return True
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (leads, events)
        ]
        return not any(counts)


def others(store: Store) -> int:
    """How many other connections to a PostgreSQL database there are."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    with store.read() as connection:
        number: int = connection.execute(text(query)).scalar_one()
        return number


# -- SQLite --------------------------------------------------------------------------------------------------


def _copy_sqlite(source: Path, target: Path) -> None:
    """In one step: in small ones, a store that is written to all the time would never be done."""
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as ours,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            ours.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            wrong = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"SQLite could not copy the store: {error}") from None
    if wrong != "ok":
        raise BackupError(f"the copy is damaged, and so is perhaps the store: {wrong}")


def _restore_file(target: Path, source: Path, machine_now: datetime) -> Review:
    """Everything is done to a copy beside the store, which then takes its place in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        _nobody_uses(target)
    with _whole_or_not(target, before=lambda: _keep_old(target)) as part:
        _copy_sqlite(source, part)
        store = Store(f"sqlite:///{part}", pool_size=1)
        try:
            found = _reviewed(store, source, machine_now)
        finally:
            store.close()
        with contextlib.closing(sqlite3.connect(part)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")
    return found


def _reviewed(store: Store, source: Path, machine_now: datetime) -> Review:
    with store.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            raise BackupError(f"{source} is no backup of Dripline's")
    migrate(store)
    with store.write() as connection:
        return review(connection, machine_now)


def _nobody_uses(file: Path) -> None:
    """A file in WAL mode leaves it only when nobody else has it open. Raises BackupError."""
    with contextlib.closing(sqlite3.connect(file, timeout=_WAIT)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            raise BackupError(
                f"other programs use {file}: stop them (dripline up, serve, worker) first"
            ) from None
        except sqlite3.DatabaseError:
            return  # what is there is no store that anybody could use


def _keep_old(target: Path) -> None:
    """A second name for it, so that there is a store at every moment."""
    if target.exists():
        replaced(target).unlink(missing_ok=True)
        os.link(target, replaced(target))
    for end in ("-wal", "-shm"):  # of a damaged store: they must not be taken for the new one's
        target.with_name(target.name + end).unlink(missing_ok=True)


def replaced(target: Path) -> Path:
    """Where the store is kept in whose place another was put."""
    return target.with_name(target.name + ".replaced")


# -- PostgreSQL ----------------------------------------------------------------------------------------------


def _restore_dump(url: URL, source: Path, machine_now: datetime) -> Review:
    dbname, environment = _libpq(url)
    version = ["--data-only", "--table=alembic_version", "--file=-", str(source)]
    lines = _run("pg_restore", version, environment).splitlines()
    copied = [after for line, after in pairwise(lines) if line.startswith("COPY ")]
    if not copied:
        raise BackupError(f"{source} is no backup of Dripline's")
    if not revision_is_known(copied[0]):
        raise StoreTooNew(copied[0])
    all_or_nothing = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner"]
    _run("pg_restore", [*all_or_nothing, "--dbname", dbname, str(source)], environment)
    store = Store(url.render_as_string(hide_password=False), pool_size=1)
    try:
        return _reviewed(store, source, machine_now)
    finally:
        store.close()


def _libpq(url: URL) -> tuple[str, dict[str, str]]:
    """The URL for PostgreSQL's own programs, and the password beside it, where no list of processes shows it."""
    bare = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return bare, {"PGPASSWORD": url.password} if url.password else {}


def _run(program: str, arguments: list[str], environment: dict[str, str]) -> str:
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"the program {program} is missing: install PostgreSQL's client programs (postgresql-client),"
            " of the server's version or newer"
        )
    done = subprocess.run(  # noqa: S603 - a fixed program, no shell
        [found, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[0]
        raise BackupError(f"{program} failed: {said}")
    return done.stdout


# -- files ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _whole_or_not(target: Path, before: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A file beside the target that takes its name once it is written and on the disk; `before` just before that."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from None
    try:
        yield part
        _to_disk(part)
        before()
        os.replace(part, target)
        _to_disk(target.parent)
    finally:
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", "-journal"))):
            leftover.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["BackupError", "back_up", "is_empty", "others", "replaced", "restore"]
