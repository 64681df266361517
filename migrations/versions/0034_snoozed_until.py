"""An alert or recommendation says until when it is snoozed: after that it counts as open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = ("alert", "recommendation")
UNTIL = """
UPDATE analytics.{table} SET snoozed_until = (
    SELECT until FROM support.decision
    WHERE decision.kind = '{table}' AND decision.fingerprint = {table}.fingerprint
        AND decision.status = 'snoozed'
    ORDER BY decision_id DESC LIMIT 1
) WHERE status = 'snoozed'
"""


def upgrade() -> None:
    for table in TABLES:
        until = sa.Column("snoozed_until", sa.DateTime(timezone=True))
        op.add_column(table, until, schema="analytics")
        op.execute(UNTIL.format(table=table))
    op.create_index(
        "ix_decision_until",
        "decision",
        ["until"],
        schema="support",
        postgresql_where=sa.text("until IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_decision_until", "decision", schema="support")
    for table in TABLES:
        op.drop_column(table, "snoozed_until", schema="analytics")
