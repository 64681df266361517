"""Who looks after an alert, and what is left of its risk when acting is paid for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OWNER = "fk_alert_owner_id_user"


def upgrade() -> None:
    for name in ("acting_brl", "net_brl"):
        op.add_column("alert", sa.Column(name, sa.Double(), nullable=True), schema="analytics")
    op.add_column("alert", sa.Column("owner_id", sa.Integer(), nullable=True), schema="analytics")
    op.create_foreign_key(
        OWNER,
        "alert",
        "user",
        ["owner_id"],
        ["user_id"],
        source_schema="analytics",
        referent_schema="support",
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_alert_owner_id"), "alert", ["owner_id"], schema="analytics")
    op.execute("UPDATE analytics.alert SET acting_brl = 0, net_brl = risk_brl")
    _rank_by("net_brl")


def downgrade() -> None:
    _rank_by("risk_brl")
    op.drop_index(op.f("ix_alert_owner_id"), "alert", schema="analytics")
    op.drop_constraint(OWNER, "alert", schema="analytics", type_="foreignkey")
    for name in ("owner_id", "net_brl", "acting_brl"):
        op.drop_column("alert", name, schema="analytics")


def _rank_by(name: str) -> None:
    op.drop_index("ix_alert_rank", table_name="alert", schema="analytics")
    op.create_index(
        "ix_alert_rank",
        "alert",
        ["run_id", "status", sa.text(f"{name} DESC NULLS LAST")],
        schema="analytics",
    )
