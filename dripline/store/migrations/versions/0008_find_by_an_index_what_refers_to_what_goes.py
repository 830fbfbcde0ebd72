"""Find by an index what refers to what goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_assignments_open",
            ["person"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("discounts", schema=None) as batch_op:
        batch_op.create_index("ix_discounts_issued", ["issued_at"], unique=False)

    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbound_message",
            ["message_id"],
            unique=False,
            sqlite_where=sa.text("message_id IS NOT NULL"),
            postgresql_where=sa.text("message_id IS NOT NULL"),
        )

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_event",
            ["event_id"],
            unique=False,
            sqlite_where=sa.text("event_id IS NOT NULL"),
            postgresql_where=sa.text("event_id IS NOT NULL"),
        )

    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_referrals_reward",
            ["reward_id"],
            unique=False,
            sqlite_where=sa.text("reward_id IS NOT NULL"),
            postgresql_where=sa.text("reward_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_referrals_welcome",
            ["welcome_id"],
            unique=False,
            sqlite_where=sa.text("welcome_id IS NOT NULL"),
            postgresql_where=sa.text("welcome_id IS NOT NULL"),
        )

    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_runs_trigger",
            ["trigger_event"],
            unique=False,
            sqlite_where=sa.text("trigger_event IS NOT NULL"),
            postgresql_where=sa.text("trigger_event IS NOT NULL"),
        )

    with op.batch_alter_table("stage_changes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_stage_changes_run",
            ["run_id"],
            unique=False,
            sqlite_where=sa.text("run_id IS NOT NULL"),
            postgresql_where=sa.text("run_id IS NOT NULL"),
        )

    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tasks_run",
            ["run_id"],
            unique=False,
            sqlite_where=sa.text("run_id IS NOT NULL"),
            postgresql_where=sa.text("run_id IS NOT NULL"),
        )
