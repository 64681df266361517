"""Checks and loads that were asked for can be cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

STATES = "'queued', 'running', 'done', 'refused', 'failed'"


def upgrade() -> None:
    op.add_column(
        "job",
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        schema="support",
    )
    _allow(f"{STATES}, 'cancelled'")


def downgrade() -> None:
    op.execute("UPDATE support.job SET state = 'failed' WHERE state = 'cancelled'")
    _allow(STATES)
    op.drop_column("job", "cancelled_at", schema="support")


def _allow(states: str) -> None:
    op.drop_constraint(op.f("ck_job_state"), "job", schema="support", type_="check")
    op.create_check_constraint(
        op.f("ck_job_state"), "job", f"state IN ({states})", schema="support"
    )
