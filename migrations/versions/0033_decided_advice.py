"""A decision says which alert or recommendation it is about, also when that is gone: fingerprints
come again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

RAISED = """
UPDATE support.decision SET raised_at = (
    SELECT max(raised_at) FROM analytics.{kind}
    WHERE {kind}.fingerprint = decision.fingerprint AND {kind}.raised_at <= decision.at
) WHERE kind = '{kind}'
"""


def upgrade() -> None:
    op.add_column("decision", sa.Column("raised_at", sa.DateTime(timezone=True)), schema="support")
    for kind in ("alert", "recommendation"):
        op.execute(RAISED.format(kind=kind))
    op.create_index(
        "ix_decision_advised",
        "decision",
        [sa.text("(facts ->> 'sku')"), sa.text("(facts ->> 'site')")],
        schema="support",
        postgresql_where=sa.text("kind = 'recommendation'"),
    )


def downgrade() -> None:
    op.drop_index("ix_decision_advised", "decision", schema="support")
    op.drop_column("decision", "raised_at", schema="support")
