"""Read models: materialized views of the first screens, and the revision of what is shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DEMAND_BY_DAY = """
SELECT demand.date,
    coalesce(site.uf, '') AS uf,
    coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family,
    count(*) AS rows,
    sum(demand.quantity) AS quantity,
    sum(demand.quantity * item.unit_cost_brl) AS value
FROM core.demand
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
GROUP BY 1, 2, 3, 4
"""

STOCK_BY_DAY = """
SELECT stock.date,
    coalesce(site.uf, '') AS uf,
    coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family,
    count(*) AS rows,
    count(wanted.item_id) AS positions,
    count(wanted.item_id) FILTER (WHERE stock.on_hand <= 0) AS stockouts,
    sum(stock.on_hand * item.unit_cost_brl) AS value
FROM core.stock
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN (SELECT DISTINCT item_id, site_id FROM core.demand) AS wanted USING (item_id, site_id)
GROUP BY 1, 2, 3, 4
"""

ORDER_BY_DAY = """
SELECT line.promised_on AS date,
    coalesce(site.uf, '') AS uf,
    coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family,
    count(*) AS lines,
    count(*) FILTER (
        WHERE line.received_on <= line.promised_on
        AND coalesce(line.received_qty, line.quantity) >= line.quantity
    ) AS lines_otif
FROM core.purchase_order AS line
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
WHERE line.promised_on IS NOT NULL
    AND lower(coalesce(line.status, '')) NOT IN
        ('cancelled', 'canceled', 'cancelado', 'cancelada')
GROUP BY 1, 2, 3, 4
"""

DOWNTIME_BY_DAY = """
SELECT day.date::date AS date,
    coalesce(site.uf, '') AS uf,
    coalesce(outage.contract_id, site.contract_id, 0) AS contract_id,
    count(*) AS outages,
    sum(
        extract(epoch FROM
            least(outage.until, day.date + interval '1 day') - greatest(outage.started_at, day.date)
        ) / 3600.0
    )::double precision AS hours
FROM (
    SELECT site_id, contract_id, started_at,
        coalesce(ended_at, greatest(started_at, max(coalesce(ended_at, started_at)) OVER ()))
            AS until
    FROM core.outage
) AS outage
JOIN core.site USING (site_id)
CROSS JOIN LATERAL generate_series(
    date_trunc('day', outage.started_at), date_trunc('day', outage.until), interval '1 day'
) AS day (date)
GROUP BY 1, 2, 3
"""

SERIES_OVERVIEW = """
WITH last_day AS (
    SELECT (SELECT max(date) FROM core.demand) AS demand,
        (SELECT max(date) FROM core.stock) AS stock
),
demanded AS (
    SELECT item_id, site_id, min(date) AS first_date, max(date) AS last_date,
        sum(quantity) AS demand_total,
        coalesce(sum(quantity) FILTER (WHERE date > last_day.demand - 90), 0) AS demand_90d
    FROM core.demand CROSS JOIN last_day
    GROUP BY item_id, site_id
),
stocked AS (
    SELECT DISTINCT ON (item_id, site_id)
        item_id, site_id, date AS stock_date, on_hand, reserved, in_transit
    FROM core.stock
    ORDER BY item_id, site_id, date DESC
),
stocked_before AS (
    SELECT DISTINCT ON (item_id, site_id) item_id, site_id, on_hand AS on_hand_before
    FROM core.stock CROSS JOIN last_day
    WHERE date <= last_day.stock - 30
    ORDER BY item_id, site_id, date DESC
)
SELECT item_id, site_id, demanded.first_date, demanded.last_date,
    coalesce(demanded.demand_total, 0) AS demand_total,
    coalesce(demanded.demand_90d, 0) AS demand_90d,
    stocked.stock_date, stocked.on_hand, stocked.reserved, stocked.in_transit,
    stocked_before.on_hand_before
FROM demanded
FULL JOIN stocked USING (item_id, site_id)
LEFT JOIN stocked_before USING (item_id, site_id)
"""

FORECAST_BY_DAY = """
SELECT forecast.run_id,
    forecast.date,
    coalesce(site.uf, '') AS uf,
    coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family,
    sum(forecast.mean) AS quantity,
    sum(power((forecast.p90 - forecast.p10) / 2.5631, 2)) AS variance,
    sum(forecast.mean * item.unit_cost_brl) AS value,
    sum(power((forecast.p90 - forecast.p10) / 2.5631 * item.unit_cost_brl, 2)) AS value_variance
FROM analytics.forecast
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
WHERE forecast.model = 'ensemble'
GROUP BY 1, 2, 3, 4, 5
"""

MATERIAL_OVERVIEW = """
SELECT run_id, item_id, site_id,
    profile.demand_class, profile.abc, profile.xyz, profile.champion,
    ahead.forecast_horizon, ahead.first_date AS forecast_from, ahead.last_date AS forecast_to,
    accuracy.points, accuracy.abs_error_sum, accuracy.actual_sum, accuracy.wape
FROM analytics.series_profile AS profile
LEFT JOIN (
    SELECT run_id, item_id, site_id, sum(mean) AS forecast_horizon,
        min(date) AS first_date, max(date) AS last_date
    FROM analytics.forecast WHERE model = 'ensemble'
    GROUP BY run_id, item_id, site_id
) AS ahead USING (run_id, item_id, site_id)
LEFT JOIN (
    SELECT run_id, item_id, site_id, points, abs_error_sum, actual_sum, wape
    FROM analytics.forecast_accuracy WHERE model = 'ensemble'
) AS accuracy USING (run_id, item_id, site_id)
"""

VIEWS = {
    "demand_by_day": (DEMAND_BY_DAY, "date, uf, contract_id, family"),
    "stock_by_day": (STOCK_BY_DAY, "date, uf, contract_id, family"),
    "order_by_day": (ORDER_BY_DAY, "date, uf, contract_id, family"),
    "downtime_by_day": (DOWNTIME_BY_DAY, "date, uf, contract_id"),
    "series_overview": (SERIES_OVERVIEW, "item_id, site_id"),
    "forecast_by_day": (FORECAST_BY_DAY, "run_id, date, uf, contract_id, family"),
    "material_overview": (MATERIAL_OVERVIEW, "run_id, item_id, site_id"),
}


def upgrade() -> None:
    op.create_table(
        "revision",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_revision_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_revision")),
        schema="analytics",
    )
    for name, (definition, key) in VIEWS.items():
        op.execute(f"CREATE MATERIALIZED VIEW analytics.{name} AS {definition}")
        op.execute(f"CREATE UNIQUE INDEX uq_{name} ON analytics.{name} ({key})")
    op.execute("CREATE INDEX ix_series_overview_site_id ON analytics.series_overview (site_id)")


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP MATERIALIZED VIEW analytics.{name}")
    op.drop_table("revision", schema="analytics")
