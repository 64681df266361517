"""What what-ifs start from, and the curve of stock value against service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SUMS = (
    "items stock_value asked served lines full_lines orders penalty_brl annual_cost_brl"
).split()


def upgrade() -> None:
    op.create_table(
        "replay_input",
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("run_id", "item_id", "site_id")),
        sa.Column("history", sa.LargeBinary, nullable=False),
        sa.Column("penalty_brl", sa.Double),
        sa.PrimaryKeyConstraint("run_id", "item_id", "site_id", name="pk_replay_input"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_replay_input_run_id_run",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )
    op.create_table(
        "service_curve",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("service_level", sa.Double, nullable=False),
        sa.Column("abc", sa.String(1), nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint(
            "run_id", "service_level", "abc", "site_id", name="pk_service_curve"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_service_curve_run_id_run",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )


def downgrade() -> None:
    for table in ("service_curve", "replay_input"):
        op.drop_table(table, schema="analytics")
