"""One-time links; sessions know the token version they began at; a language may be unknown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM support.session")
    op.add_column(
        "session", sa.Column("token_version", sa.Integer(), nullable=False), schema="support"
    )
    op.create_table(
        "password_reset",
        sa.Column("link_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["support.user.user_id"],
            name=op.f("fk_password_reset_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_password_reset")),
        schema="support",
    )
    op.create_index(
        op.f("ix_password_reset_user_id"),
        "password_reset",
        ["user_id"],
        unique=False,
        schema="support",
    )
    op.alter_column("user", "language", server_default=None, nullable=True, schema="support")
    op.execute('UPDATE support."user" SET language = NULL')  # nobody could choose one before


def downgrade() -> None:
    op.execute("""UPDATE support."user" SET language = 'pt_BR' WHERE language IS NULL""")
    op.alter_column("user", "language", server_default="pt_BR", nullable=False, schema="support")
    op.drop_table("password_reset", schema="support")
    op.drop_column("session", "token_version", schema="support")
