"""Count by indexes what the pages show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_newest", ["queued_at", "id"], unique=False)
        batch_op.create_index("ix_messages_state", ["state", "journey"], unique=False)

    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_runs_converted",
            ["journey", "holdout", "goal_value"],
            unique=False,
            sqlite_where=sa.text("converted_at IS NOT NULL"),
            postgresql_where=sa.text("converted_at IS NOT NULL"),
        )
        batch_op.create_index("ix_runs_outcome", ["journey", "outcome", "holdout"], unique=False)
        batch_op.create_index(
            "ix_runs_parked",
            ["last_at"],
            unique=False,
            sqlite_where=sa.text("parked_reason IS NOT NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("parked_reason IS NOT NULL AND ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_runs_step",
            ["journey", "step"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
