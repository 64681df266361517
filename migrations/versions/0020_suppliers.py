"""First promises of order lines; what lead times cost in stock, in place of company-wide scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ORDER_BY_DAY = """
SELECT {promised} AS date,
    coalesce(site.uf, '') AS uf,
    coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family,
    count(*) AS lines,
    count(*) FILTER (
        WHERE line.received_on <= {promised}
        AND coalesce(line.received_qty, line.quantity) >= line.quantity
    ) AS lines_otif
FROM core.purchase_order AS line
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
WHERE {promised} IS NOT NULL
    AND lower(coalesce(line.status, '')) NOT IN
        ('cancelled', 'canceled', 'cancelado', 'cancelada')
GROUP BY 1, 2, 3, 4
"""
NOW, FIRST = "line.promised_on", "coalesce(line.first_promised_on, line.promised_on)"
LATER = (1, 3, 7, 14, 30)


def upgrade() -> None:
    op.add_column("purchase_order", sa.Column("first_promised_on", sa.Date), schema="core")
    _order_by_day(FIRST)
    op.drop_table("supplier_score", schema="analytics")
    op.create_table(
        "lead_time_cost",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("item_id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("supplier_id", sa.Integer, nullable=False),
        sa.Column("holding_rate", sa.Double, nullable=False),
        sa.Column("safety_stock_brl", sa.Double),
        sa.Column("lateness_brl", sa.Double),
        *(sa.Column(f"later_{days}_brl", sa.Double) for days in LATER),
        sa.PrimaryKeyConstraint("run_id", "item_id", "site_id", name="pk_lead_time_cost"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_lead_time_cost_run_id",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )


def downgrade() -> None:
    op.drop_table("lead_time_cost", schema="analytics")
    op.create_table(
        "supplier_score",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("supplier_id", sa.Integer, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("lines_received", sa.Integer, nullable=False),
        sa.Column("lines_on_time_in_full", sa.Integer, nullable=False),
        sa.Column("lead_time_mean", sa.Double),
        sa.Column("lead_time_std", sa.Double),
        sa.Column("lead_time_p90", sa.Double),
        sa.Column("contract_lead_time_days", sa.Double),
        sa.Column("fill_rate", sa.Double),
        sa.Column("price_drift", sa.Double),
        sa.Column("spend_brl", sa.Double),
        sa.PrimaryKeyConstraint("run_id", "supplier_id", name="pk_supplier_score"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_supplier_score_run_id",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )
    _order_by_day(NOW)
    op.drop_column("purchase_order", "first_promised_on", schema="core")


def _order_by_day(promised: str) -> None:
    definition = ORDER_BY_DAY.format(promised=promised)
    op.execute("DROP MATERIALIZED VIEW analytics.order_by_day")
    op.execute(f"CREATE MATERIALIZED VIEW analytics.order_by_day AS {definition}")
    op.execute(
        "CREATE UNIQUE INDEX uq_order_by_day ON analytics.order_by_day"
        " (date, uf, contract_id, family)"
    )
