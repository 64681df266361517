"""What a person begins with, which may be another's view; a role's is marked on the view."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "start_view",
        sa.Column("user_id", sa.Integer, primary_key=True),
        sa.Column("view_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["support.user.user_id"], name="fk_start_view_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"],
            ["support.saved_view.view_id"],
            name="fk_start_view_view_id",
            ondelete="CASCADE",
        ),
        schema="support",
    )
    op.create_index("ix_start_view_view_id", "start_view", ["view_id"], schema="support")
    op.execute("GRANT INSERT, UPDATE, DELETE ON support.start_view TO nova_app")
    op.execute(
        "INSERT INTO support.start_view (user_id, view_id)"
        " SELECT user_id, max(view_id) FROM support.saved_view WHERE is_default GROUP BY user_id"
    )
    op.execute("UPDATE support.saved_view SET is_default = false WHERE is_default")


def downgrade() -> None:
    op.execute("UPDATE support.saved_view SET is_default = false WHERE is_default")
    op.execute(
        "UPDATE support.saved_view AS view SET is_default = true FROM support.start_view AS own"
        " WHERE own.view_id = view.view_id AND own.user_id = view.user_id"
    )
    op.drop_table("start_view", schema="support")
