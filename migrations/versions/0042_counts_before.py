"""Stock before is that of the count nearest to 30 days before the last one, and demand of 90 days
that of 13 weeks or 3 months where rows stand for such."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

BEFORE_30_DAYS = """
WITH last_day AS (
    SELECT demand - 89 AS since, demand + 1 AS until, stock - 30 AS counted_before
    FROM (
        SELECT (SELECT max(date) FROM core.demand) AS demand,
            (SELECT max(date) FROM core.stock) AS stock
    ) AS last
)
"""
NEAREST_COUNT = """
WITH demand AS (
    SELECT until, until - CASE bucket
            WHEN 'day' THEN interval '90 days'
            WHEN 'week' THEN interval '13 weeks'
            ELSE interval '3 months'
        END AS since
    FROM analytics.demand_known
),
last_day AS (
    SELECT since, until, CASE
        WHEN later - aim <= 5 AND (earlier IS NULL OR later - aim < aim - earlier) THEN later
        ELSE earlier
    END AS counted_before
    FROM demand CROSS JOIN (
        SELECT aim, (SELECT max(date) FROM analytics.stock_by_day WHERE date <= aim) AS earlier,
            (SELECT min(date) FROM analytics.stock_by_day WHERE date > aim) AS later
        FROM (SELECT max(date) - 30 AS aim FROM analytics.stock_by_day) AS last
    ) AS counted
)
"""

SERIES_OVERVIEW = """
{last_day},
demanded AS (
    SELECT item_id, site_id, min(date) AS first_date, max(date) AS last_date,
        sum(quantity) AS demand_total,
        coalesce(sum(quantity) FILTER (WHERE date >= since AND date < until), 0) AS demand_90d
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
    WHERE date <= counted_before
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


def upgrade() -> None:
    _series_overview(NEAREST_COUNT)


def downgrade() -> None:
    _series_overview(BEFORE_30_DAYS)


def _series_overview(last_day: str) -> None:
    op.execute("DROP MATERIALIZED VIEW analytics.series_overview")
    op.execute(
        "CREATE MATERIALIZED VIEW analytics.series_overview AS"
        f" {SERIES_OVERVIEW.format(last_day=last_day)}"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_series_overview ON analytics.series_overview (item_id, site_id)"
    )
    op.execute("CREATE INDEX ix_series_overview_site_id ON analytics.series_overview (site_id)")
