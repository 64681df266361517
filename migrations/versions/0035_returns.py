"""A return is a row of demand below 0. While returns are loaded there is no way back: what came
before knows none."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_demand_quantity", "demand", schema="core")


def downgrade() -> None:
    op.create_check_constraint("quantity", "demand", "quantity >= 0", schema="core")
