"""KPIs by day were written for every run and read by nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("kpi_daily", schema="analytics")


def downgrade() -> None:
    op.create_table(
        "kpi_daily",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uf", sa.String(length=2), server_default="", nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("numerator", sa.Double(), nullable=False),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_kpi_daily_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "key", "uf", "date", name=op.f("pk_kpi_daily")),
        schema="analytics",
    )
