"""When the published run was last derived again: open pages ask for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("revision", sa.Column("derived", sa.BigInteger()), schema="analytics")


def downgrade() -> None:
    op.drop_column("revision", "derived", schema="analytics")
