"""What files told of receipts in parts: how much of an order line had come by which day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase_order", sa.Column("received_by", JSONB), schema="core")


def downgrade() -> None:
    op.drop_column("purchase_order", "received_by", schema="core")
