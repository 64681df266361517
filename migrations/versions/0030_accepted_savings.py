"""Whoever decides about a recommendation marks the savings that are accepted by it."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT UPDATE (accepted) ON analytics.savings TO nova_app")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (accepted) ON analytics.savings FROM nova_app")
