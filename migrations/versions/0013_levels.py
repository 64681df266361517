"""Forecasts of the levels above item × depot, and how good they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEYS = ("run_id", "level", "item_id", "family", "unit", "area")
QUANTILES = ("mean", "p025", "p10", "p50", "p90", "p975")
SUMS = ("abs_error_sum", "error_sum", "actual_sum")
COUNTS = ("points", "covered80_points", "covered95_points")


def upgrade() -> None:
    op.create_table(
        "level_forecast",
        *_keys(),
        sa.Column("date", sa.Date, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in QUANTILES),
        sa.PrimaryKeyConstraint(*KEYS, "date", name="pk_level_forecast"),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_table(
        "level_accuracy",
        *_keys(),
        sa.Column("model", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        sa.Column("mase", sa.Double),
        sa.Column("rmsse", sa.Double),
        *(sa.Column(name, sa.Double, nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint(*KEYS, "model", name="pk_level_accuracy"),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )


def _keys() -> list[sa.Column]:
    kinds = {"run_id": sa.Integer, "item_id": sa.Integer}
    return [sa.Column(name, kinds.get(name, sa.Text), nullable=False) for name in KEYS]


def downgrade() -> None:
    op.drop_table("level_accuracy", schema="analytics")
    op.drop_table("level_forecast", schema="analytics")
