"""Recommendations: known words alone, ranked, dated; requests may change them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PLACE = {"table_name": "recommendation", "schema": "analytics"}
WORDS = {
    "kind": "kind IN ('REORDER', 'EXPEDITE', 'TRANSFER', 'REDUCE', 'SWITCH')",
    "status": "status IN ('open', 'accepted', 'rejected', 'snoozed', 'done')",
    "narrative_source": "narrative_source IN ('template', 'llm')",
}


def upgrade() -> None:
    op.add_column(
        "recommendation",
        sa.Column(
            "raised_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        schema="analytics",
    )
    for name, condition in WORDS.items():
        op.create_check_constraint(
            op.f(f"ck_recommendation_{name}"), "recommendation", condition, schema="analytics"
        )
    op.create_index(
        "ix_recommendation_rank",
        columns=["run_id", "status", sa.text("value_brl DESC NULLS LAST")],
        **PLACE,
    )
    op.create_index(
        "ix_recommendation_item_id_site_id", columns=["run_id", "item_id", "site_id"], **PLACE
    )
    op.execute("GRANT UPDATE ON analytics.recommendation TO nova_app")


def downgrade() -> None:
    op.execute("REVOKE UPDATE ON analytics.recommendation FROM nova_app")
    op.drop_index("ix_recommendation_item_id_site_id", **PLACE)
    op.drop_index("ix_recommendation_rank", **PLACE)
    for name in WORDS:
        op.drop_constraint(
            op.f(f"ck_recommendation_{name}"), "recommendation", schema="analytics", type_="check"
        )
    op.drop_column("recommendation", "raised_at", schema="analytics")
