"""The textbook's levels beside ours, the chance of running out, and likely and cautious dates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NUMBERS = ("textbook_safety_stock", "textbook_reorder_point", "stockout_probability")
DATES = ("stockout_p50_on", "stockout_p90_on")


def upgrade() -> None:
    for name in NUMBERS:
        op.add_column("policy", sa.Column(name, sa.Double), schema="analytics")
    for name in DATES:
        op.add_column("policy", sa.Column(name, sa.Date), schema="analytics")


def downgrade() -> None:
    for name in (*NUMBERS, *DATES):
        op.drop_column("policy", name, schema="analytics")
