"""Accuracy and calibration by step of the horizon."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SUMS = ("abs_error_sum", "error_sum", "actual_sum")
COUNTS = ("below10", "below50", "below90", "at_most10", "at_most50", "at_most90")


def upgrade() -> None:
    op.create_table(
        "accuracy_by_step",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("demand_class", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in SUMS),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint(
            "run_id", "site_id", "demand_class", "model", "step", name="pk_accuracy_by_step"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_accuracy_by_step_run_id",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )


def downgrade() -> None:
    op.drop_table("accuracy_by_step", schema="analytics")
