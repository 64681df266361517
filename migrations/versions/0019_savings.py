"""The old policy's costs and ours, by month and item-depot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

PARTS = "holding stockout expediting ordering stock missed".split()


def upgrade() -> None:
    op.create_table(
        "savings",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("item_id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        *(
            sa.Column(f"{side}_{part}", sa.Double, nullable=False)
            for side in ("old", "new")
            for part in PARTS
        ),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("realised_brl", sa.Double),
        sa.PrimaryKeyConstraint("run_id", "month", "item_id", "site_id", name="pk_savings"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_savings_run_id_run",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("basis IN ('textbook', 'recorded')", name="ck_savings_basis"),
        schema="analytics",
    )


def downgrade() -> None:
    op.drop_table("savings", schema="analytics")
