"""Bring a store up to the program's schema, by the migrations that ship with it."""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from dripline.store.database import Store
from dripline.store.schema import metadata

_PACKAGE = "dripline.store:migrations"
_ADVISORY_LOCK = 0x4452_4950  # "DRIP": one migration at a time on a PostgreSQL server's database


class StoreTooNew(Exception):
    """A newer program has migrated this store; the older one must not touch it."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the store is at schema {revision}, which this version of Dripline does not know:"
            " run the newer version, or restore a backup made by this one"
        )
        self.revision = revision


class StoreUnlike(Exception):
    """The store says that it has this program's schema, and has not."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"the store lacks {missing}: an unreleased version of Dripline made it;"
            " move it away (or restore a backup) and start again"
        )


def migrate(store: Store) -> None:
    """Bring the store to the newest schema. Harmless when it is there already, or when many do it.

    Raises StoreTooNew where the store has been migrated by a newer program.
    """
    with store.read() as connection:
        if _is_current(connection):
            return
    with store.write() as connection:
        if not store.is_sqlite:  # there the write lock does the same
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        if not _is_current(connection):
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def check_schema(store: Store) -> None:
    """Find out at the start, not at the first lead, that the tables are not those of this program.

    Raises StoreUnlike. It happens to stores that an unreleased version made: released migrations never change.
    """
    there = inspect(store.engine)
    for table in metadata.sorted_tables:
        have = {column["name"] for column in there.get_columns(table.name)}
        missing = sorted({column.name for column in table.columns} - have)
        if missing:
            raise StoreUnlike(f"{table.name}.{missing[0]}")


def is_migrated(store: Store) -> bool:
    """Whether the store has the newest schema. Raises StoreTooNew where it has a newer one."""
    with store.read() as connection:
        return _is_current(connection)


def alembic_config() -> Config:
    """Alembic's configuration, without a file: the migrations of this package."""
    config = Config()
    config.set_main_option("script_location", _PACKAGE)
    config.set_main_option("path_separator", "os")
    return config


def revision_is_known(revision: str) -> bool:
    """Whether a store at that revision is one of this program's, or of an older one's."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def _is_current(connection: Connection) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and not revision_is_known(current):
        raise StoreTooNew(current)
    return current == _scripts().get_current_head()


__all__ = [
    "StoreTooNew",
    "StoreUnlike",
    "alembic_config",
    "check_schema",
    "is_migrated",
    "migrate",
    "revision_is_known",
]
