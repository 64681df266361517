"""Board packs by e-mail: who gets them and when, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("report_id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("rhythm", sa.Text, nullable=False),
        sa.Column("day", sa.Integer, nullable=False, server_default="0"),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("filters", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("active", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["support.user.user_id"], name="fk_report_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "rhythm IN ('daily', 'weekdays', 'weekly', 'monthly')", name="ck_report_rhythm"
        ),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name="ck_report_hour"),
        sa.CheckConstraint("language IN ('pt_BR', 'en')", name="ck_report_language"),
        schema="support",
    )
    op.create_index("ix_report_user_id", "report", ["user_id"], schema="support")
    op.create_table(
        "report_delivery",
        sa.Column("delivery_id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("report_id", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="queued"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("run_id", sa.Integer),
        sa.Column("message", sa.Text),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["support.report.report_id"],
            name="fk_report_delivery_report_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("report_id", "due_at", name="uq_report_delivery_report_id_due_at"),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'refused', 'failed', 'skipped')",
            name="ck_report_delivery_state",
        ),
        schema="support",
    )
    op.execute(
        "GRANT INSERT, UPDATE, DELETE ON support.report, support.report_delivery TO nova_app"
    )


def downgrade() -> None:
    op.drop_table("report_delivery", schema="support")
    op.drop_table("report", schema="support")
