"""What arrives: loads, rejects and one raw table a file kind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA staging")
    op.create_table(
        "contracts",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("availability_target_pct", sa.Double(), nullable=True),
        sa.Column("penalty_schedule", sa.Text(), nullable=True),
        sa.Column("monthly_fee_brl", sa.Double(), nullable=True),
        sa.Column("cap_pct", sa.Double(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "demand",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("order_ref", sa.Text(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "drivers",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("driver", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("uf", sa.Text(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "equipment",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("measured_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.Integer(), nullable=True),
        sa.Column("failure_kind", sa.Text(), nullable=True),
        sa.Column("readings", postgresql.JSONB(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "items",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("family", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("unit_cost_brl", sa.Double(), nullable=True),
        sa.Column("criticality", sa.Double(), nullable=True),
        sa.Column("lead_time_days", sa.Double(), nullable=True),
        sa.Column("min_order_qty", sa.Double(), nullable=True),
        sa.Column("pack_size", sa.Double(), nullable=True),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("service_level", sa.Double(), nullable=True),
        sa.Column("shelf_life_days", sa.Double(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "load",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), server_default="", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mapping_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=True),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("rows_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_filtered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_merged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("date_from", sa.Date(), nullable=True),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "state IN ('loading', 'accepted', 'rejected', 'failed')", name=op.f("ck_load_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load")),
        schema="staging",
    )
    op.create_index("ix_load_sha256", "load", ["sha256", "kind"], unique=False, schema="staging")
    op.create_table(
        "outages",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("outage", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("sku_waited_for", sa.Text(), nullable=True),
        sa.Column("contract", sa.Text(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "projects",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("uf", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
        sa.Column("actual_end", sa.Date(), nullable=True),
        sa.Column("budget_brl", sa.Double(), nullable=True),
        sa.Column("spent_brl", sa.Double(), nullable=True),
        sa.Column("progress_pct", sa.Double(), nullable=True),
        sa.Column("materials", postgresql.JSONB(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "purchase_orders",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("order", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("ordered_on", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("received_qty", sa.Double(), nullable=True),
        sa.Column("unit_price_brl", sa.Double(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "sites",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("uf", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("depot", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("contract", sa.Text(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "stock",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("on_hand", sa.Double(), nullable=True),
        sa.Column("reserved", sa.Double(), nullable=True),
        sa.Column("in_transit", sa.Double(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "suppliers",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("contract_lead_time_days", sa.Double(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "tower_kpis",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file_line", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("availability_pct", sa.Double(), nullable=True),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("throughput_mbps", sa.Double(), nullable=True),
        sa.Column("drop_rate_pct", sa.Double(), nullable=True),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("traffic_gb", sa.Double(), nullable=True),
        schema="staging",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "reject",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id"], ["staging.load.id"], name=op.f("fk_reject_load_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reject")),
        schema="staging",
    )
    op.create_index(
        op.f("ix_reject_load_id"), "reject", ["load_id"], unique=False, schema="staging"
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA staging CASCADE")
