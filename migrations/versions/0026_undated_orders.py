"""Order lines without an order date, and the lead time of those that have one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

LEAD_TIME = (
    "CASE WHEN order_dated AND received_on >= ordered_on"
    " THEN received_on - ordered_on ELSE NULL::integer END"
)


def upgrade() -> None:
    op.add_column(
        "purchase_order",
        sa.Column("order_dated", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        schema="core",
    )
    op.add_column(
        "purchase_order",
        sa.Column("lead_time_days", sa.Integer(), sa.Computed(LEAD_TIME, persisted=True)),
        schema="core",
    )


def downgrade() -> None:
    op.drop_column("purchase_order", "lead_time_days", schema="core")
    op.drop_column("purchase_order", "order_dated", schema="core")
