from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column,
    Connection,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    inspect,
    select,
    text,
)

from activities.sweep import Patience, Sweeper
from dripline.language.plan import DelayStep, Duration
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.migrate import StoreTooNew, StoreUnlike, alembic_config, check_schema, migrate
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan

RESTS = DelayStep(id="rest", duration=Duration(days=5), next="email:offer")


def _definitions(connection: Connection, store: Store) -> list[Any]:
    """Every table and index as the database itself tells it: more than Alembic's own comparison looks at."""
    if store.is_sqlite:
        query = "SELECT tbl_name || ': ' || sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        rows = list(connection.execute(text(query)).scalars())
        tidy = [" ".join(row.replace('"', "").replace("(false)", "false").split()) for row in rows]
        return [sorted(row.removesuffix(" )").split(", ")) for row in tidy if "alembic_version" not in row]
    columns = (
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '"
        " || coalesce(column_default, '') || coalesce(generation_expression, '')"
        " || coalesce(character_maximum_length::text, '')"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    constraints = (
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1"
    )
    rows = [row for q in (columns, indexes, constraints) for row in connection.execute(text(q)).scalars()]
    return [row for row in rows if "alembic_version" not in row]


def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, schema.metadata) == []


def test_the_migrations_make_the_very_same_tables_as_the_schema(empty_url: str) -> None:
    store = Store(empty_url)
    migrate(store)
    with store.read() as connection:
        migrated = _definitions(connection, store)
    with store.write() as connection:
        schema.metadata.drop_all(connection)
        schema.metadata.create_all(connection)
    with store.read() as connection:
        assert migrated == _definitions(connection, store)
    store.close()


def test_migrating_again_changes_nothing(store: Store) -> None:
    with store.read() as connection:
        before = _definitions(connection, store)
    migrate(store)
    with store.read() as connection:
        assert _definitions(connection, store) == before


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        store = Store(empty_url)
        try:
            migrate(store)
        except BaseException as failure:
            failures.append(failure)
        finally:
            store.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = Store(empty_url)
    with store.read() as connection:
        assert set(inspect(connection).get_table_names()) == {*schema.metadata.tables, "alembic_version"}
    store.close()


def test_a_store_of_the_first_revision_keeps_all_that_it_holds_and_goes_on(empty_url: str) -> None:
    store = Store(empty_url)
    migrate(store)
    house = House(store, plan(email("hello", next="rest"), RESTS, email("offer")))
    [run] = house.happens("lead.created", NOW)
    house.advance(run, NOW)
    before = _rows(store)
    with store.write() as connection:
        schema.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    with store.write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        _fill(connection, before)
    migrate(store)
    assert _rows(store) == before
    Sweeper(store, {}, Patience(), clock=house.clock).sweep()
    assert house.run(run).step == "rest", "the publications of then are carried out long since"
    house.advance(run, NOW + timedelta(days=5))
    assert (house.run(run).outcome, len(house.messages())) == ("finished", 2)
    store.close()


def _rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All that is in the store, by table."""
    with store.read() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(*_kept(table)))]
            for table in schema.metadata.sorted_tables
        }


def _kept(table: Table) -> list[Column[Any]]:
    """The columns whose rows of then say the same: a publication that keeps needs no word that it is settled."""
    return [column for column in table.columns if column is not schema.publications.c.settled_at]


def _fill(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Put the rows into tables that may lack some columns; of tables that came later there are none."""
    known = set(inspect(connection).get_table_names())
    for table in schema.metadata.sorted_tables:
        if table.name not in known:
            assert rows[table.name] == []
            continue
        there = {
            column["name"]
            for column in inspect(connection).get_columns(table.name)
            if not column.get("computed")
        }
        if table.autoincrement_column is not None:  # the database numbers them, and goes on from there
            there.discard(table.autoincrement_column.name)
        for row in rows[table.name]:
            connection.execute(
                table.insert().values({name: value for name, value in row.items() if name in there})
            )


def test_a_store_of_a_newer_program_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="schema 9999"):
        migrate(store)


def test_a_migration_that_fails_leaves_nothing_half_done(empty_url: str) -> None:
    store = Store(empty_url)
    with store.write() as connection:
        connection.execute(
            text("CREATE TABLE step_log (id INTEGER)")
        )  # the last table that the migration makes
    with pytest.raises(Exception, match="step_log"):
        migrate(store)
    with store.read() as connection:
        assert inspect(connection).get_table_names() == ["step_log"]
    store.close()


def test_a_store_that_an_unreleased_version_made_is_refused_at_the_start(store: Store) -> None:
    check_schema(store)
    with store.write() as connection:
        connection.execute(text("ALTER TABLE house DROP COLUMN store_epoch"))
    with pytest.raises(StoreUnlike, match=r"house\.store_epoch"):
        check_schema(store)


NEVER_DELETED = {"plans", "api_keys"}
"""Tables whose rows stay: nobody looks for what refers to them."""


def test_whatever_refers_to_a_row_that_may_go_is_found_by_an_index() -> None:
    """Else each row that is erased reads through whole tables: databases look for who refers to it."""
    lacking = [
        f"{table.name}.{key.parent.name}"
        for table in schema.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name not in NEVER_DELETED and key.parent.name not in _indexed(table)
    ]
    assert not lacking


def _indexed(table: Table) -> set[str]:
    """Columns with which an index or a key that has an index begins."""
    keys = [one for one in table.constraints if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)]
    return {next(iter(one.columns)).name for one in (*table.indexes, *keys) if len(one.columns)}
