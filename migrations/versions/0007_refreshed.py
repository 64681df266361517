"""Which load the materialized views hold: a load killed before its refresh is made up for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("revision", sa.Column("load_id", sa.Integer()), schema="analytics")


def downgrade() -> None:
    op.drop_column("revision", "load_id", schema="analytics")
