"""Outages that go on last to the end of the last day, where that is known of outages alone too."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

LAST_MOMENT = "(SELECT max(coalesce(ended_at, started_at)) FROM core.outage)"
DAY_END = """(
    SELECT date_trunc('day', greatest(max(ended_at) - interval '1 microsecond', max(started_at)))
        + interval '1 day' FROM core.outage
)"""
"""An outage that ended at midnight says nothing of the day that began then."""

DOWNTIME_BY_DAY = """
WITH known AS (
    SELECT greatest(
        {outages},
        (SELECT max(date) + interval '1 day' FROM analytics.demand_by_day),
        (SELECT max(date) + interval '1 day' FROM analytics.stock_by_day)
    ) AS until
),
down AS (
    SELECT outage.site_id, coalesce(outage.contract_id, site.contract_id, 0) AS contract_id,
        coalesce(site.uf, '') AS uf,
        unnest(range_agg(tsrange(
            outage.started_at, greatest(outage.started_at, coalesce(outage.ended_at, known.until))
        ))) AS span
    FROM core.outage CROSS JOIN known JOIN core.site USING (site_id)
    GROUP BY 1, 2, 3
)
SELECT day.date::date AS date, uf, contract_id,
    sum(extract(epoch FROM
        least(upper(span), day.date + interval '1 day') - greatest(lower(span), day.date)
    ) / 3600.0)::double precision AS hours
FROM down CROSS JOIN LATERAL generate_series(
    date_trunc('day', lower(span)),
    date_trunc('day', upper(span) - interval '1 microsecond'),
    interval '1 day'
) AS day (date)
GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    _downtime_by_day(DAY_END)


def downgrade() -> None:
    _downtime_by_day(LAST_MOMENT)


def _downtime_by_day(outages: str) -> None:
    op.execute("DROP MATERIALIZED VIEW analytics.downtime_by_day")
    op.execute(
        "CREATE MATERIALIZED VIEW analytics.downtime_by_day AS"
        f" {DOWNTIME_BY_DAY.format(outages=outages)}"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_downtime_by_day ON analytics.downtime_by_day"
        " (date, uf, contract_id)"
    )
