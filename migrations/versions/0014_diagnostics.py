"""What errors still hold and what demand is made of, by series."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEYS = ("run_id", "item_id", "site_id")


def upgrade() -> None:
    op.create_table(
        "series_diagnostics",
        *(sa.Column(name, sa.Integer, nullable=False) for name in KEYS),
        sa.Column("residuals", JSONB),
        sa.Column("decomposition", JSONB),
        sa.PrimaryKeyConstraint(*KEYS, name="pk_series_diagnostics"),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )


def downgrade() -> None:
    op.drop_table("series_diagnostics", schema="analytics")
