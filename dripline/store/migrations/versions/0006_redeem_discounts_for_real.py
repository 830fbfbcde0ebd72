"""Redeem discounts for real."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("codes", sa.Integer(), nullable=True),
        sa.Column("issued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("committed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_budgets")),
        comment="What the discounts of campaigns may cost, and have. Locked last, after lead, run and discount.",
    )
    op.create_table(
        "pool_codes",
        sa.Column("pool", sa.String(length=128), nullable=False),
        sa.Column("plain_code", sa.String(length=80), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discount_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["discount_id"], ["discounts.id"], name=op.f("fk_pool_codes_discount_id")),
        sa.PrimaryKeyConstraint("pool", "plain_code", name=op.f("pk_pool_codes")),
        sa.UniqueConstraint("discount_id", name=op.f("uq_pool_codes_discount_id")),
        comment="Codes of others, each to be given to one lead.",
    )
    with op.batch_alter_table("pool_codes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pool_codes_free",
            ["pool", "number"],
            unique=False,
            sqlite_where=sa.text("discount_id IS NULL"),
            postgresql_where=sa.text("discount_id IS NULL"),
        )

    with op.batch_alter_table("discounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("total", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("given", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("reserved_for", sa.String(length=256), nullable=True))
        batch_op.add_column(sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_why", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expiry_told_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("pool", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("budget", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("most", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("stacks", sa.Boolean(), nullable=True))
        batch_op.create_index(
            "ix_discounts_expiring",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("redeemed_at IS NULL AND revoked_at IS NULL AND expiry_told_at IS NULL"),
            postgresql_where=sa.text("redeemed_at IS NULL AND revoked_at IS NULL AND expiry_told_at IS NULL"),
        )
        batch_op.create_index("ix_discounts_order", ["redeemed_for"], unique=False)
        batch_op.create_index("ix_discounts_reserved", ["reserved_for"], unique=False)

    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.create_index(
            "ix_leads_merged_into",
            ["merged_into"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )
