"""Schema `core`: the facts, keyed by small integers, traced to their load by `load_id`.

`site` 0 (code `-`) stands for demand without a site, `supplier` 0 (code `-`) for an unknown one.
Quantities are in the item's unit of issue, money in BRL, durations in days.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.tables.base import double, identity, metadata

region = Table(
    "region",
    metadata,
    Column("region", String(2), primary_key=True),
    Column("name", Text, nullable=False),
    schema="core",
)

uf = Table(
    "uf",
    metadata,
    Column("uf", String(2), primary_key=True),
    Column("ibge_code", SmallInteger, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("region", ForeignKey(region.c.region), nullable=False, index=True),
    Column("capital", Text, nullable=False),
    double("latitude", nullable=False),
    double("longitude", nullable=False),
    Column("timezone", Text, nullable=False),
    schema="core",
)

calendar = Table(
    "calendar",
    metadata,
    Column("date", Date, primary_key=True),
    Column("year", SmallInteger, nullable=False),
    Column("month", SmallInteger, nullable=False),
    Column("iso_year", SmallInteger, nullable=False),
    Column("iso_week", SmallInteger, nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("holiday", Text),
    Column("uf_holidays", JSONB, nullable=False, server_default=text("'{}'")),
    schema="core",
)

supplier = Table(
    "supplier",
    metadata,
    identity("supplier_id"),
    Column("supplier", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("kind", Text),
    double("contract_lead_time_days"),
    Column("load_id", Integer),
    schema="core",
)

contract = Table(
    "contract",
    metadata,
    identity("contract_id"),
    Column("contract", Text, nullable=False, unique=True),
    Column("customer", Text),
    double("availability_target_pct"),
    Column("penalty_schedule", JSONB, nullable=False, server_default=text("'[]'")),
    double("monthly_fee_brl"),
    double("cap_pct"),
    Column("load_id", Integer),
    schema="core",
)

site = Table(
    "site",
    metadata,
    identity("site_id"),
    Column("site", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("uf", ForeignKey(uf.c.uf), index=True),
    Column("kind", Text),
    Column("depot_id", ForeignKey("core.site.site_id"), index=True),
    double("latitude"),
    double("longitude"),
    Column("tier", Text),
    Column("contract_id", ForeignKey(contract.c.contract_id), index=True),
    Column("load_id", Integer),
    schema="core",
)

item = Table(
    "item",
    metadata,
    identity("item_id"),
    Column("sku", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("family", Text, index=True),
    Column("unit", Text),
    double("unit_cost_brl"),
    double("criticality"),
    double("lead_time_days"),
    double("min_order_qty"),
    double("pack_size"),
    Column("supplier_id", ForeignKey(supplier.c.supplier_id), index=True),
    double("service_level"),
    double("shelf_life_days"),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'")),
    Column("load_id", Integer),
    Column("equipment_kind", Text),
    double("units_per_failure"),
    Index("ix_item_attributes", "attributes", postgresql_using="gin"),
    schema="core",
)

demand = Table(
    "demand",
    metadata,
    Column("date", Date, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("supplier_id", Integer, nullable=False, server_default="0"),
    Column("order_ref", Text, nullable=False, server_default=""),
    double("quantity", nullable=False),
    Column("load_id", Integer, nullable=False),
    PrimaryKeyConstraint("item_id", "site_id", "date", "supplier_id", "order_ref"),
    schema="core",
    postgresql_partition_by="RANGE (date)",
)

stock = Table(
    "stock",
    metadata,
    Column("date", Date, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False),
    double("on_hand", nullable=False),
    double("reserved"),
    double("in_transit"),
    Column("load_id", Integer, nullable=False),
    PrimaryKeyConstraint("item_id", "site_id", "date"),
    schema="core",
    postgresql_partition_by="RANGE (date)",
)

purchase_order = Table(
    "purchase_order",
    metadata,
    Column("ordered_on", Date, nullable=False),
    Column("order_dated", Boolean, nullable=False, server_default="true"),
    Column("order_no", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("supplier_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False, server_default="0"),
    double("quantity", nullable=False),
    Column("requested_on", Date),
    Column("promised_on", Date),
    Column("received_on", Date),
    double("received_qty"),
    double("unit_price_brl"),
    Column("status", Text),
    Column("load_id", Integer, nullable=False),
    Column("first_promised_on", Date),
    Column("received_by", JSONB),
    Column("first_loaded_at", DateTime(timezone=True), server_default=text("now()")),
    Column(
        "lead_time_days",
        Integer,
        Computed(
            "CASE WHEN order_dated AND received_on >= ordered_on"
            " THEN received_on - ordered_on ELSE NULL::integer END",
            persisted=True,
        ),
    ),
    PrimaryKeyConstraint("order_no", "line", "ordered_on"),
    Index("ix_purchase_order_item", "item_id", "site_id", "ordered_on"),
    Index("ix_purchase_order_supplier", "supplier_id", "ordered_on"),
    schema="core",
    postgresql_partition_by="RANGE (ordered_on)",
)

"""`first_promised_on` is what a line was promised for before a later file changed it; NULL while no
file did, and the promise is `promised_on`. `received_by` is kept where files tell of receipts in
parts or without their day: how many units had come by each day, as {day: units}; NULL: all that
came did on `received_on`, or is as old as the order. Where no file says when a line was ordered,
`order_dated` is false and `ordered_on` the latest day on which it can have been: the earliest of
the promise, the receipt and the day of the load. `lead_time_days` is NULL for it.
`first_loaded_at`: when a file first had the line; NULL where that was before version 0040."""

outage = Table(
    "outage",
    metadata,
    identity("outage_id"),
    Column("outage", Text, nullable=False, unique=True),
    Column("site_id", ForeignKey(site.c.site_id), nullable=False, index=True),
    Column("started_at", DateTime, nullable=False, index=True),
    Column("ended_at", DateTime),
    Column("cause", Text),
    Column("item_waited_for_id", ForeignKey(item.c.item_id), index=True),
    Column("contract_id", ForeignKey(contract.c.contract_id), index=True),
    Column("load_id", Integer, nullable=False),
    schema="core",
)

project = Table(
    "project",
    metadata,
    identity("project_id"),
    Column("project", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("uf", ForeignKey(uf.c.uf), index=True),
    Column("status", Text),
    Column("planned_start", Date),
    Column("planned_end", Date),
    Column("actual_end", Date),
    double("budget_brl"),
    double("spent_brl"),
    double("progress_pct"),
    Column("load_id", Integer, nullable=False),
    schema="core",
)

project_material = Table(
    "project_material",
    metadata,
    Column("project_id", ForeignKey(project.c.project_id, ondelete="CASCADE"), primary_key=True),
    Column("item_id", ForeignKey(item.c.item_id), primary_key=True, index=True),
    Column("needed_on", Date, primary_key=True),
    double("quantity", nullable=False),
    schema="core",
)

project_status = Table(
    "project_status",
    metadata,
    Column("project_id", ForeignKey(project.c.project_id, ondelete="CASCADE"), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("status", Text),
    Column("planned_start", Date),
    Column("planned_end", Date),
    Column("actual_end", Date),
    double("budget_brl"),
    double("spent_brl"),
    double("progress_pct"),
    Column("load_id", Integer, nullable=False),
    schema="core",
)
"""What each file said of a project, by the day that it spoke of; `project` holds the newest."""

equipment_reading = Table(
    "equipment_reading",
    metadata,
    Column("measured_at", DateTime, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("kind", Text),
    Column("readings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("failure", SmallInteger),
    Column("failure_kind", Text),
    Column("load_id", Integer, nullable=False),
    PrimaryKeyConstraint("equipment", "measured_at"),
    Index("ix_equipment_reading_readings", "readings", postgresql_using="gin"),
    schema="core",
    postgresql_partition_by="RANGE (measured_at)",
)

tower_kpi = Table(
    "tower_kpi",
    metadata,
    Column("date", Date, nullable=False),
    Column("site_id", Integer, nullable=False),
    *(
        double(name)
        for name in (
            "availability_pct",
            "latency_ms",
            "throughput_mbps",
            "drop_rate_pct",
            "energy_kwh",
            "traffic_gb",
        )
    ),
    Column("load_id", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "date"),
    schema="core",
    postgresql_partition_by="RANGE (date)",
)

driver = Table(
    "driver",
    metadata,
    Column("driver", Text, primary_key=True),
    Column("uf", String(2), primary_key=True, server_default=""),
    Column("date", Date, primary_key=True),
    double("value", nullable=False),
    Column("load_id", Integer, nullable=False),
    schema="core",
)

archived_month = Table(
    "archived_month",
    metadata,
    Column("table_name", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("archived_at", DateTime(timezone=True), nullable=False),
    schema="core",
)

MONTHLY = {
    "demand": "date",
    "stock": "date",
    "equipment_reading": "measured_at",
    "tower_kpi": "date",
}
"""Tables of this schema that are partitioned by month, and the column that decides the month."""
