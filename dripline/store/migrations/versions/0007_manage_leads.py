"""Manage leads: rules of the house, orders, and what follows from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _discounts()
    _rules()
    _people()
    _orders()
    _spends()
    _referrals()
    _scores()
    _segments()
    _leads()
    _products()
    _campaigns()
    _surveys()


def _people() -> None:
    op.create_table(
        "absences",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=256), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
        comment="When people are away, beyond their working hours.",
    )
    with op.batch_alter_table("absences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absences_person"), ["person"], unique=False)

    op.create_table(
        "customers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("order_id", sa.String(length=128), nullable=True),
        sa.Column("path", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("card", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_customers_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        comment="The customer cards; of two of one lead the earlier counts. The lead's card stays as it is, beside it.",
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "assignments",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=True),
        sa.Column("team", sa.String(length=128), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("how", sa.String(length=32), nullable=False),
        sa.Column("why", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("terms", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("journey", sa.String(length=128), nullable=True),
        sa.Column("step", sa.String(length=256), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=True),
        sa.Column("react_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_assignments_lead_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_assignments_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("run_id", "step", "visit", name=op.f("uq_assignments_run_id_step_visit")),
        comment="Who was given which lead, when, and why just they.",
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_assignments_due",
            ["react_by"],
            unique=False,
            sqlite_where=sa.text("react_by IS NOT NULL AND reacted_at IS NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("react_by IS NOT NULL AND reacted_at IS NULL AND ended_at IS NULL"),
        )
        batch_op.create_index("ix_assignments_lead", ["lead_id", "at"], unique=False)
        batch_op.create_index("ix_assignments_person", ["person", "at"], unique=False)

    op.create_table(
        "stage_changes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.String(length=32), nullable=True),
        sa.Column("after", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=256), nullable=True),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("journey", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_stage_changes_lead_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_stage_changes_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_changes")),
        comment="Every change of a lead's stage.",
    )
    with op.batch_alter_table("stage_changes", schema=None) as batch_op:
        batch_op.create_index("ix_stage_changes_at", ["at"], unique=False)
        batch_op.create_index("ix_stage_changes_lead", ["lead_id", "at"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("journey", sa.String(length=128), nullable=True),
        sa.Column("step", sa.String(length=256), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=256), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=256), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalate_to", sa.String(length=128), nullable=True),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_from", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_tasks_lead_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_tasks_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        comment="What people are to do for a lead, by when, and what became of it.",
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tasks_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL AND cancelled_at IS NULL AND overdue_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND cancelled_at IS NULL AND overdue_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_tasks_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_tasks_person", ["person", "due_at"], unique=False)


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
        comment="What the workspace file says that follows from events, as it was made known to this store.",
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("reference", sa.String(length=256), nullable=True),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_orders_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("reference", name=op.f("uq_orders_reference")),
        comment="What was bought: made of the events that the workspace file says are orders.",
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_at", ["at"], unique=False)
        batch_op.create_index("ix_orders_lead", ["lead_id", "at"], unique=False)

    op.create_table(
        "order_items",
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(length=128), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_items_order_id")),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_order_items")),
    )
    with op.batch_alter_table("order_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_items_product_id"), ["product_id"], unique=False)


def _spends() -> None:
    op.create_table(
        "spends",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=256), nullable=True),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("campaign", sa.String(length=256), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("by", sa.String(length=256), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spends")),
        comment="What was paid for advertising and the like, for the cost of a lead.",
    )


def _referrals() -> None:
    _let_discounts_be_nobodys_run()
    op.create_table(
        "referral_codes",
        sa.Column("plain_code", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visits", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_referral_codes_lead_id")),
        sa.PrimaryKeyConstraint("plain_code", name=op.f("pk_referral_codes")),
        comment="The codes by which leads bring friends. Who was two leads may have two, and both are good.",
    )
    with op.batch_alter_table("referral_codes", schema=None) as batch_op:
        batch_op.create_index("ix_referral_codes_lead", ["lead_id", "program"], unique=False)

    op.create_table(
        "referrals",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=128), nullable=False),
        sa.Column("referrer_id", sa.String(length=64), nullable=False),
        sa.Column("friend_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("refused", sa.String(length=64), nullable=True),
        sa.Column("terms", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("device_hash", sa.String(length=64), nullable=True),
        sa.Column("network_hash", sa.String(length=64), nullable=True),
        sa.Column("welcome_id", sa.String(length=64), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("purchased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rewarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("reward", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("reward_id", sa.String(length=64), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["friend_id"], ["leads.id"], name=op.f("fk_referrals_friend_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_referrals_order_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["leads.id"], name=op.f("fk_referrals_referrer_id")),
        sa.ForeignKeyConstraint(["reward_id"], ["discounts.id"], name=op.f("fk_referrals_reward_id")),
        sa.ForeignKeyConstraint(["welcome_id"], ["discounts.id"], name=op.f("fk_referrals_welcome_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        comment="Who brought whom, and what became of it. Locked after both leads.",
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_referrals_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_referrals_friend_id"), ["friend_id"], unique=False)
        batch_op.create_index("ix_referrals_order", ["order_id"], unique=False)
        batch_op.create_index("ix_referrals_program", ["program", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_referrer_id"), ["referrer_id"], unique=False)


def _let_discounts_be_nobodys_run() -> None:
    """SQLite alters a column by copying its table, which no row of another may point to meanwhile."""
    copies = op.get_bind().dialect.name == "sqlite"
    pointer = op.f("fk_pool_codes_discount_id")
    if copies:
        with op.batch_alter_table("pool_codes", schema=None) as batch_op:
            batch_op.drop_constraint(pointer, type_="foreignkey")
    with op.batch_alter_table("discounts", schema=None) as batch_op:
        batch_op.alter_column("run_id", existing_type=sa.String(length=64), nullable=True)
    if copies:
        with op.batch_alter_table("pool_codes", schema=None) as batch_op:
            batch_op.create_foreign_key(pointer, "discounts", ["discount_id"], ["id"])


def _scores() -> None:
    op.create_table(
        "score_points",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("half_life", sa.Float(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=True),
        sa.Column("resets", sa.Boolean(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_score_points_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_points")),
        sa.UniqueConstraint(
            "lead_id", "rule", "event_id", name=op.f("uq_score_points_lead_id_rule_event_id")
        ),
        comment="What leads were given points for. What they are worth today, their age says.",
    )
    with op.batch_alter_table("score_points", schema=None) as batch_op:
        batch_op.create_index("ix_score_points_lead", ["lead_id", "at"], unique=False)
        batch_op.create_index("ix_score_points_rule", ["rule", "at"], unique=False)

    op.create_table(
        "score_changes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=True),
        sa.Column("warmth", sa.String(length=8), nullable=True),
        sa.Column("why", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_score_changes_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_changes")),
        comment="How scores, grades and warmth went: a row each time that one of them changed.",
    )
    with op.batch_alter_table("score_changes", schema=None) as batch_op:
        batch_op.create_index("ix_score_changes_lead", ["lead_id", "at"], unique=False)


def _segments() -> None:
    op.create_table(
        "segment_members",
        sa.Column("segment", sa.String(length=128), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_segment_members_lead_id")),
        sa.PrimaryKeyConstraint("segment", "lead_id", name=op.f("pk_segment_members")),
        comment="Who is in which segment now.",
    )
    with op.batch_alter_table("segment_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_members_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "segment_states",
        sa.Column("segment", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_segment_states")),
        comment="How far it is known who is in the segments.",
    )


def _leads() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stage_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("owner_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("customer", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )
        batch_op.create_index("ix_leads_owner", ["owner"], unique=False)
        batch_op.add_column(sa.Column("grade", sa.String(length=1), nullable=True))
        batch_op.add_column(sa.Column("warmth", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("rescore_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("rfm", json, nullable=True))
        batch_op.add_column(sa.Column("segments", json, nullable=True))
        batch_op.create_index(
            "ix_leads_rescore",
            ["rescore_at"],
            unique=False,
            sqlite_where=sa.text("rescore_at IS NOT NULL"),
            postgresql_where=sa.text("rescore_at IS NOT NULL"),
        )


def _products() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "products",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("title", json, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=128), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("related", json, nullable=False),
        sa.Column("upgrade", sa.String(length=128), nullable=True),
        sa.Column("replenish_days", sa.Integer(), nullable=True),
        sa.Column("in_stock", sa.Boolean(), nullable=False),
        sa.Column("attributes", json, nullable=False),
        sa.Column("ordered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        comment="The catalogue.",
    )
    op.create_index(op.f("ix_products_category"), "products", ["category"], unique=False)

    op.create_table(
        "product_changes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("product_id", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=True),
        sa.Column("after", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.String(length=64), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_changes_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_changes")),
        comment="Prices and stock as they went: leads with an interest are told of drops and returns.",
    )
    op.create_index(op.f("ix_product_changes_product_id"), "product_changes", ["product_id"], unique=False)
    op.create_index(
        "ix_product_changes_untold",
        "product_changes",
        ["id"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )

    op.create_table(
        "product_pairs",
        sa.Column("product_id", sa.String(length=128), nullable=False),
        sa.Column("other_id", sa.String(length=128), nullable=False),
        sa.Column("both", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("with_other", sa.Integer(), nullable=False),
        sa.Column("all", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "other_id", name=op.f("pk_product_pairs")),
        comment="What was bought together in the last year, counted anew now and then.",
    )

    op.create_table(
        "interests",
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("product_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_interests_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", "product_id", "kind", name=op.f("pk_interests")),
        comment="What leads have looked at, asked for and bought.",
    )
    op.create_index("ix_interests_product", "interests", ["product_id", "lead_id"], unique=False)
    op.create_index(
        "ix_interests_due",
        "interests",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _discounts() -> None:
    with op.batch_alter_table("discounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shop", sa.String(length=128), nullable=True))


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("journey", sa.String(length=128), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("occasion", sa.String(length=16), nullable=True),
        sa.Column("own_zone", sa.Boolean(), nullable=False),
        sa.Column("per_hour", sa.Float(), nullable=True),
        sa.Column("test", sa.Integer(), server_default="0", nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holdout", sa.Float(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=256), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looking_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached", sa.String(length=64), nullable=True),
        sa.Column("places", sa.Float(), server_default="0", nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_wanted", sa.Integer(), server_default="1", nullable=False),
        sa.Column("wake_done", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("journey", "occasion", name=op.f("uq_campaigns_journey_occasion")),
        comment="Audiences that are let into a journey, at a pace.",
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index("ix_campaigns_newest", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_campaigns_running",
            ["moved_at"],
            unique=False,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.create_table(
        "campaign_leads",
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("found_as", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_leads_campaign_id")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_campaign_leads_lead_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_campaign_leads_run_id")),
        sa.PrimaryKeyConstraint("campaign_id", "found_as", name=op.f("pk_campaign_leads")),
        sa.UniqueConstraint("run_id", name=op.f("uq_campaign_leads_run_id")),
        comment="Who is in the audience of a campaign, and who has been let in.",
    )
    with op.batch_alter_table("campaign_leads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_leads_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_campaign_leads_next", ["campaign_id", "state", "number"], unique=False)

    op.create_table(
        "schedules",
        sa.Column("journey", sa.String(length=128), nullable=False),
        sa.Column("said", sa.String(length=256), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_name", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("journey", name=op.f("pk_schedules")),
        comment="When the journeys that begin by the calendar let their audiences in next.",
    )
    with op.batch_alter_table("schedules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedules_next_at"), ["next_at"], unique=False)


def _surveys() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "survey_asks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("survey", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("journey", sa.String(length=128), nullable=True),
        sa.Column("step", sa.String(length=256), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("about", json, nullable=True),
        sa.Column("picks", json, nullable=True),
        sa.Column("settle_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=256), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answers", json, nullable=True),
        sa.Column("via", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_survey_asks_lead_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_survey_asks_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_asks")),
        comment="Who was asked what, and what they said.",
    )
    with op.batch_alter_table("survey_asks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_asks_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_asks_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_survey_asks_survey", ["survey", "asked_at"], unique=False)
        batch_op.create_index(
            "ix_survey_asks_settling",
            ["settle_at"],
            unique=False,
            sqlite_where=sa.text("settle_at IS NOT NULL"),
            postgresql_where=sa.text("settle_at IS NOT NULL"),
        )
