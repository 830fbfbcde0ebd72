"""Run by Alembic. The connection, with its transaction open, comes from `dripline.store.migrate`."""

from __future__ import annotations

from alembic import context

from dripline.store.migrations.writing import render_type
from dripline.store.schema import metadata

_attributes = context.config.attributes

context.configure(
    connection=_attributes["connection"],
    target_metadata=metadata,
    render_item=render_type,
    # SQLite alters a column only by copying its table, which Alembic does in "batch" operations.
    render_as_batch=_attributes.get("batch", False),
)
with context.begin_transaction():
    context.run_migrations()
