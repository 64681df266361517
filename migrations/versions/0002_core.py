"""The facts: regions, sites, items, demand, stock, orders and the network."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA core")
    op.create_table(
        "calendar",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.SmallInteger(), nullable=False),
        sa.Column("iso_year", sa.SmallInteger(), nullable=False),
        sa.Column("iso_week", sa.SmallInteger(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("holiday", sa.Text(), nullable=True),
        sa.Column(
            "uf_holidays",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_calendar")),
        schema="core",
    )
    op.create_table(
        "contract",
        sa.Column("contract_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("availability_target_pct", sa.Double(), nullable=True),
        sa.Column(
            "penalty_schedule",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("monthly_fee_brl", sa.Double(), nullable=True),
        sa.Column("cap_pct", sa.Double(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contract")),
        sa.UniqueConstraint("contract", name=op.f("uq_contract_contract")),
        schema="core",
    )
    op.create_table(
        "demand",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("order_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_demand_quantity")),
        sa.PrimaryKeyConstraint(
            "item_id", "site_id", "date", "supplier_id", "order_ref", name=op.f("pk_demand")
        ),
        schema="core",
        postgresql_partition_by="RANGE (date)",
    )
    op.create_table(
        "driver",
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("uf", sa.String(length=2), server_default="", nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("driver", "uf", "date", name=op.f("pk_driver")),
        schema="core",
    )
    op.create_table(
        "equipment_reading",
        sa.Column("measured_at", sa.DateTime(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column(
            "readings",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("failure", sa.SmallInteger(), nullable=True),
        sa.Column("failure_kind", sa.Text(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("equipment", "measured_at", name=op.f("pk_equipment_reading")),
        schema="core",
        postgresql_partition_by="RANGE (measured_at)",
    )
    op.create_index(
        "ix_equipment_reading_readings",
        "equipment_reading",
        ["readings"],
        unique=False,
        schema="core",
        postgresql_using="gin",
    )
    op.create_table(
        "purchase_order",
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("received_qty", sa.Double(), nullable=True),
        sa.Column("unit_price_brl", sa.Double(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_no", "line", "ordered_on", name=op.f("pk_purchase_order")),
        schema="core",
        postgresql_partition_by="RANGE (ordered_on)",
    )
    op.create_index(
        "ix_purchase_order_item",
        "purchase_order",
        ["item_id", "site_id", "ordered_on"],
        unique=False,
        schema="core",
    )
    op.create_index(
        "ix_purchase_order_supplier",
        "purchase_order",
        ["supplier_id", "ordered_on"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "region",
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region", name=op.f("pk_region")),
        schema="core",
    )
    op.create_table(
        "stock",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("on_hand", sa.Double(), nullable=False),
        sa.Column("reserved", sa.Double(), nullable=True),
        sa.Column("in_transit", sa.Double(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "site_id", "date", name=op.f("pk_stock")),
        schema="core",
        postgresql_partition_by="RANGE (date)",
    )
    op.create_table(
        "supplier",
        sa.Column("supplier_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("contract_lead_time_days", sa.Double(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("supplier_id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("supplier", name=op.f("uq_supplier_supplier")),
        schema="core",
    )
    op.create_table(
        "tower_kpi",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("availability_pct", sa.Double(), nullable=True),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("throughput_mbps", sa.Double(), nullable=True),
        sa.Column("drop_rate_pct", sa.Double(), nullable=True),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("traffic_gb", sa.Double(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "date", name=op.f("pk_tower_kpi")),
        schema="core",
        postgresql_partition_by="RANGE (date)",
    )
    op.create_table(
        "item",
        sa.Column("item_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("family", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("unit_cost_brl", sa.Double(), nullable=True),
        sa.Column("criticality", sa.Double(), nullable=True),
        sa.Column("lead_time_days", sa.Double(), nullable=True),
        sa.Column("min_order_qty", sa.Double(), nullable=True),
        sa.Column("pack_size", sa.Double(), nullable=True),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("service_level", sa.Double(), nullable=True),
        sa.Column("shelf_life_days", sa.Double(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "attributes",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["core.supplier.supplier_id"], name=op.f("fk_item_supplier_id")
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item")),
        sa.UniqueConstraint("sku", name=op.f("uq_item_sku")),
        schema="core",
    )
    op.create_index(
        "ix_item_attributes",
        "item",
        ["attributes"],
        unique=False,
        schema="core",
        postgresql_using="gin",
    )
    op.create_index(op.f("ix_item_family"), "item", ["family"], unique=False, schema="core")
    op.create_index(
        op.f("ix_item_supplier_id"), "item", ["supplier_id"], unique=False, schema="core"
    )
    op.create_table(
        "uf",
        sa.Column("uf", sa.String(length=2), nullable=False),
        sa.Column("ibge_code", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("capital", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region"], ["core.region.region"], name=op.f("fk_uf_region")),
        sa.PrimaryKeyConstraint("uf", name=op.f("pk_uf")),
        sa.UniqueConstraint("ibge_code", name=op.f("uq_uf_ibge_code")),
        schema="core",
    )
    op.create_index(op.f("ix_uf_region"), "uf", ["region"], unique=False, schema="core")
    op.create_table(
        "project",
        sa.Column("project_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("uf", sa.String(length=2), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
        sa.Column("actual_end", sa.Date(), nullable=True),
        sa.Column("budget_brl", sa.Double(), nullable=True),
        sa.Column("spent_brl", sa.Double(), nullable=True),
        sa.Column("progress_pct", sa.Double(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["uf"], ["core.uf.uf"], name=op.f("fk_project_uf")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_project")),
        sa.UniqueConstraint("project", name=op.f("uq_project_project")),
        schema="core",
    )
    op.create_index(op.f("ix_project_uf"), "project", ["uf"], unique=False, schema="core")
    op.create_table(
        "site",
        sa.Column("site_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("uf", sa.String(length=2), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("depot_id", sa.Integer(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["core.contract.contract_id"], name=op.f("fk_site_contract_id")
        ),
        sa.ForeignKeyConstraint(["depot_id"], ["core.site.site_id"], name=op.f("fk_site_depot_id")),
        sa.ForeignKeyConstraint(["uf"], ["core.uf.uf"], name=op.f("fk_site_uf")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site")),
        sa.UniqueConstraint("site", name=op.f("uq_site_site")),
        schema="core",
    )
    op.create_index(
        op.f("ix_site_contract_id"), "site", ["contract_id"], unique=False, schema="core"
    )
    op.create_index(op.f("ix_site_depot_id"), "site", ["depot_id"], unique=False, schema="core")
    op.create_index(op.f("ix_site_uf"), "site", ["uf"], unique=False, schema="core")
    op.create_table(
        "outage",
        sa.Column("outage_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("outage", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("item_waited_for_id", sa.Integer(), nullable=True),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["core.contract.contract_id"], name=op.f("fk_outage_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_waited_for_id"], ["core.item.item_id"], name=op.f("fk_outage_item_waited_for_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["core.site.site_id"], name=op.f("fk_outage_site_id")),
        sa.PrimaryKeyConstraint("outage_id", name=op.f("pk_outage")),
        sa.UniqueConstraint("outage", name=op.f("uq_outage_outage")),
        schema="core",
    )
    op.create_index(
        op.f("ix_outage_contract_id"), "outage", ["contract_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_outage_item_waited_for_id"),
        "outage",
        ["item_waited_for_id"],
        unique=False,
        schema="core",
    )
    op.create_index(op.f("ix_outage_site_id"), "outage", ["site_id"], unique=False, schema="core")
    op.create_index(
        op.f("ix_outage_started_at"), "outage", ["started_at"], unique=False, schema="core"
    )
    op.create_table(
        "project_material",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("needed_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["core.item.item_id"], name=op.f("fk_project_material_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["core.project.project_id"],
            name=op.f("fk_project_material_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "project_id", "item_id", "needed_on", name=op.f("pk_project_material")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_project_material_item_id"),
        "project_material",
        ["item_id"],
        unique=False,
        schema="core",
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA core CASCADE")
