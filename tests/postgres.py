"""A private PostgreSQL server for one test session: its own folder, its own socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cached_property
from pathlib import Path

import psycopg

from dripline.stack.children import die_with_parent

_FAST = ("fsync=off", "full_page_writes=off", "max_connections=200")  # a commit still outlives a kill -9


_SHAPE = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
    SELECT format('%s.%s %s %s', attrelid::regclass, attname, atttypid, attnotnull) AS line FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'public' AND attnum > 0
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT version_num FROM alembic_version
    UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
) lines
"""
_EMPTY = """
DO $$
DECLARE name text; has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
        IF has_rows THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$
"""


class NoPostgres(Exception):
    """No PostgreSQL server can be had on this machine."""


class PostgresServer:
    """Start with `start()`; `url(database)` is what SQLAlchemy connects to, by a socket that only we know."""

    def __init__(self) -> None:
        self._programs = _find_programs()
        self._user = _other_user() if os.getuid() == 0 else None  # its programs refuse to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="dl-pg-", dir="/tmp"))  # a socket's path must be short
        self._process: subprocess.Popen[bytes] | None = None
        self._free: list[str] = []
        self._lent = 0
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "-D", str(self._files), "-U", "dripline", "-A", "trust", "-E", "UTF8", "--no-sync"
        )

    def start(self) -> None:
        """Start, or start again after `stop()` or `kill()`; returns when connections are taken."""
        settings = [argument for setting in _FAST for argument in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._files, "-k", self.folder, "-h", "", *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                preexec_fn=die_with_parent(signal.SIGQUIT),
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise NoPostgres((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once, as a crash would: every connection breaks. What was committed is still there."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database and return its URL."""
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def lend(self) -> str:
        """The name of a database that is like `migrated` and empty: one that was given back, or a new one."""
        if self._free:
            return self._free.pop()
        self._lent += 1
        self.create(f"lent_{self._lent}", template="migrated")
        return f"lent_{self._lent}"

    def take_back(self, database: str) -> None:
        """Empty a database that was lent, which takes a tenth of the time that making one does.

        One whose tables are not what they were is removed.
        """
        with self._connect(database) as connection:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")
            shape = self._shape_of(connection)
            if shape == self._shape:
                connection.execute(_EMPTY)
        if shape == self._shape:
            self._free.append(database)
        else:
            self.drop(database)

    @cached_property
    def _shape(self) -> str:
        with self._connect("migrated") as connection:
            return self._shape_of(connection)

    def _shape_of(self, connection: psycopg.Connection) -> str:
        try:
            row = connection.execute(_SHAPE).fetchone()
        except psycopg.errors.UndefinedTable:
            return ""
        return str(row and row[0])

    def url(self, database: str) -> str:
        """What SQLAlchemy connects to."""
        return f"postgresql+psycopg://dripline@/{database}?host={self.folder}"

    @property
    def _files(self) -> Path:
        return self.folder / "files"

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user="dripline", dbname=database, autocommit=True, connect_timeout=5
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            capture_output=True,
            text=True,
            cwd="/tmp",
        )
        if done.returncode:
            raise NoPostgres(done.stderr)


def _find_programs() -> Path:
    on_path = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    for folder in (*on_path, *packaged):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgres("no PostgreSQL server on the PATH or under /usr/lib/postgresql")


def _other_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
