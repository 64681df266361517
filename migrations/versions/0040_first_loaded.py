"""When order lines were first loaded: what was known as a purchase was decided on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # those that are there stay without: the default is of the lines to come
    op.add_column(
        "purchase_order", sa.Column("first_loaded_at", sa.DateTime(timezone=True)), schema="core"
    )
    op.alter_column(
        "purchase_order", "first_loaded_at", server_default=sa.text("now()"), schema="core"
    )


def downgrade() -> None:
    op.drop_column("purchase_order", "first_loaded_at", schema="core")
