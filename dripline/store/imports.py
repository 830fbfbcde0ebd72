"""Files of leads that were imported: what each row changed, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from dripline.store.database import insert_into
from dripline.store.schema import import_rows, imports


def add_import(connection: Connection, values: Mapping[str, Any]) -> None:
    """Begin an import."""
    connection.execute(insert(imports).values(dict(values)))


def unfinished_import(connection: Connection, digest: str, mapping: Mapping[str, Any]) -> str | None:
    """The newest import of that content, read in that way, that was begun and never finished."""
    query = select(imports.c.id, imports.c.mapping).where(
        imports.c.digest == digest, imports.c.finished_at.is_(None), imports.c.undone_at.is_(None)
    )
    rows = connection.execute(query.order_by(imports.c.id.desc()))
    return next((row.id for row in rows if row.mapping == mapping), None)


def finish_import(connection: Connection, import_id: str, counts: Mapping[str, int], at: datetime) -> None:
    """Every row of the file has been looked at."""
    values = {"finished_at": at, "counts": dict(counts)}
    connection.execute(update(imports).where(imports.c.id == import_id).values(values))


def undo_import(
    connection: Connection, import_id: str, counts: Mapping[str, int], at: datetime, by: str | None
) -> None:
    """It has been taken back, as far as that could be."""
    values = {"undone_at": at, "undone_by": by, "counts": dict(counts)}
    connection.execute(update(imports).where(imports.c.id == import_id).values(values))


def log_rows(connection: Connection, import_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what rows changed; what is kept of a line already stays."""
    if rows:
        statement = insert_into(connection, import_rows).on_conflict_do_nothing()
        connection.execute(statement, [{**row, "import_id": import_id} for row in rows])


def logged(connection: Connection, import_id: str, lines: Collection[int]) -> dict[int, str]:
    """By line, what its row did to a lead when this import came by before."""
    query = select(import_rows.c.line, import_rows.c.what).where(
        import_rows.c.import_id == import_id, import_rows.c.line.in_(lines)
    )
    return {row.line: row.what for row in connection.execute(query)}


def import_list(connection: Connection, limit: int) -> list[Row[Any]]:
    """Imports, newest first."""
    return list(connection.execute(select(imports).order_by(imports.c.id.desc()).limit(limit)))


def find_imports(connection: Connection, start: str) -> list[Row[Any]]:
    """The imports whose ids begin or end with that: two at most, which is enough to know it is not one."""
    like = imports.c.id.startswith(start, autoescape=True) | imports.c.id.endswith(start, autoescape=True)
    return list(connection.execute(select(imports).where(like).limit(2)))


def rows_to_undo(connection: Connection, import_id: str, before: int | None, limit: int) -> list[Row[Any]]:
    """Rows that were not undone yet, from the last line on up; `before` is the line that was looked at last."""
    query = select(import_rows).where(import_rows.c.import_id == import_id, import_rows.c.undone.is_(None))
    if before is not None:
        query = query.where(import_rows.c.line < before)
    return list(connection.execute(query.order_by(import_rows.c.line.desc()).limit(limit)))


def mark_rows(connection: Connection, import_id: str, lines: Iterable[int], undone: str) -> None:
    """Say what became of rows that were to be undone."""
    mine = (import_rows.c.import_id == import_id, import_rows.c.line.in_(list(lines)))
    connection.execute(update(import_rows).where(*mine).values(undone=undone))


def count_rows(connection: Connection, import_id: str) -> dict[str, int]:
    """How many rows did what, by `created`, `changed`, and what became of undoing them."""
    counts: dict[str, int] = {}
    for column in (import_rows.c.what, import_rows.c.undone):
        query = select(column, func.count()).where(import_rows.c.import_id == import_id, column.is_not(None))
        counts |= {row[0]: row[1] for row in connection.execute(query.group_by(column))}
    return counts
