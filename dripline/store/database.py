"""Connections and transactions: the same code on SQLite and on PostgreSQL."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import IO, Any

from sqlalchemy import Connection, Engine, Row, Table, bindparam, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dripline.store import schema

BUSY_TIMEOUT = 15.0
"""Seconds that a SQLite connection waits for another's write transaction."""

FORGETTING = 2.0
"""Seconds for which `forget` waits for others who read or write."""

UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What SQLAlchemy raises while the database is away or too busy: try again later."""


_POSTGRES = {
    "connect_timeout": 5,
    # Without these a machine that dies in the middle of a turn keeps its lead locked for two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
}


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert into the table that can say what to do where the row is there already (`on_conflict_…`)."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


class Store:
    """The database. `read` and `write` are its only doors; a `write` block is one transaction."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.engine = _engine(url, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        turn = _TurnToWrite(self.engine.url.database) if self.is_sqlite else nullcontext()
        self._turn_to_write: AbstractContextManager[Any] = turn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, with one consistent view on SQLite."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: all of it or none. On SQLite it has the one write lock from its start."""
        with self._turn_to_write, self.engine.connect() as connection:
            writing = connection.execution_options(dripline_writes=True)
            with writing.begin():
                yield writing

    def forget(self) -> bool:
        """Take out of SQLite's log what was deleted from the tables; False while others still read of it.

        The tables' own pages are overwritten where something is deleted; the log beside them keeps what was
        written to them before, until it is folded in and cut off.
        """
        if not self.is_sqlite:
            return True
        pooled = self.engine.raw_connection()
        try:
            cursor = pooled.cursor()
            cursor.execute(f"PRAGMA busy_timeout={int(FORGETTING * 1000)}")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
            cursor.close()
            return not busy
        finally:
            pooled.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        if isinstance(self._turn_to_write, _TurnToWrite):
            self._turn_to_write.close()


class _TurnToWrite:
    """Where all threads and processes of this machine queue up for SQLite's one write lock.

    SQLite's own waiters sleep and look again, up to 100 ms: who comes seldom (an event, a wake) starves beside
    a worker that writes all the time. The file's lock wakes them. It is a courtesy: SQLite's lock still decides,
    so that writing without the file (in a folder that we may not write to, say) is as safe.
    """

    def __init__(self, database: str | None) -> None:
        self._path = f"{database}-turn" if database else None
        self._file: IO[bytes] | None = None
        self._here = Lock()

    def __enter__(self) -> None:
        self._here.acquire()
        try:
            if self._file is None and self._path is not None:
                self._file = open(self._path, "ab")
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:
            self._path = None
        except BaseException:
            self._here.release()
            raise

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._here.release()

    def close(self) -> None:
        """Close the file; the next to come opens it again."""
        with self._here:
            if self._file is not None:
                self._file.close()
                self._file = None


# Statements of the hot ways are built once: building one costs three times as much as executing it.
_LEAD = select(schema.leads).where(schema.leads.c.id == bindparam("lead")).with_for_update()
_LEAD_OF_RUN = (
    select(schema.leads)
    .where(
        schema.leads.c.id
        == select(schema.runs.c.lead_id).where(schema.runs.c.id == bindparam("run")).scalar_subquery()
    )
    .with_for_update()
)
_RUN = select(schema.runs).where(schema.runs.c.id == bindparam("run")).with_for_update()


def lock_lead(connection: Connection, lead_id: str) -> Row[Any] | None:
    """Lock a lead's row until the transaction ends, and return it. Always before any of its runs."""
    return connection.execute(_LEAD, {"lead": lead_id}).one_or_none()


def lock_lead_of(connection: Connection, run_id: str) -> Row[Any] | None:
    """Lock the row of a run's lead until the transaction ends, and return it; None if there is no such run."""
    return connection.execute(_LEAD_OF_RUN, {"run": run_id}).one_or_none()


def lock_run(connection: Connection, run_id: str) -> Row[Any] | None:
    """Lock a run's row until the transaction ends, and return it. Lock its lead first."""
    return connection.execute(_RUN, {"run": run_id}).one_or_none()


def lock_lead_and_run(connection: Connection, run_id: str) -> tuple[Row[Any] | None, Row[Any] | None]:
    """Lock a run's lead, then the run: None for both where there is no such run.

    While we waited for the lead, a merge may have given the run to another one: then that one is locked.
    """
    while True:
        lead, run = lock_lead_of(connection, run_id), lock_run(connection, run_id)
        if run is None:
            return None, None
        if lead is not None and lead.id == run.lead_id:
            return lead, run


def _engine(url: str, pool_size: int) -> Engine:
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 30,
        "hide_parameters": True,  # they would put addresses into error messages
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    }
    if url.startswith("sqlite"):
        engine = create_engine(
            url, connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False}, **options
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_pre_ping=True, connect_args=_POSTGRES, **options)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin late, and without the write lock
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute("PRAGMA secure_delete=ON")  # what is erased must not be found in the file
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("dripline_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


__all__ = [
    "BUSY_TIMEOUT",
    "UNAVAILABLE",
    "Store",
    "lock_lead",
    "lock_lead_and_run",
    "lock_lead_of",
    "lock_run",
]
