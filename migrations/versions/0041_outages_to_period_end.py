"""Outages that go on last to the end of the last week or month of demand, where rows stand for
such: to the day by which it is named until now."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

LAST_DATE = "SELECT max(date) + interval '1 day' AS until FROM analytics.demand_by_day"
LAST_PERIOD = "SELECT until FROM analytics.demand_known"

DEMAND_KNOWN = """
SELECT bucket, CASE WHEN bucket <> 'day' AND until > loaded_until THEN since ELSE until END AS until
FROM (
    SELECT bucket, since, since + CAST('1 ' || bucket AS interval) AS until,
        (SELECT max((started_at AT TIME ZONE 'America/Sao_Paulo')::date) FROM staging.load
            WHERE kind = 'demand' AND state = 'accepted' AND date_to >= last_date
        ) + interval '1 day' AS loaded_until
    FROM (
        SELECT bucket, last_date, date_trunc(bucket, last_date::timestamp) AS since
        FROM (SELECT max(date) AS last_date FROM analytics.demand_by_day) AS last
        CROSS JOIN (
            SELECT CASE (
                SELECT manifest -> 'dataset' ->> 'inferred_frequency' FROM analytics.run
                ORDER BY run_id DESC LIMIT 1
            ) WHEN 'W' THEN 'week' WHEN 'M' THEN 'month' ELSE 'day' END AS bucket
        ) AS native
    ) AS started
) AS period
"""
"""What a row of demand stands for, and the first moment of which no demand is known: a period that
was still running on the day on which it was loaded is not known to its end. The newest run tells
what rows stand for: while the first one is being published, none is published."""

DOWNTIME_BY_DAY = """
WITH demand AS ({demand}),
known AS (
    SELECT greatest(
        (
            SELECT date_trunc(
                'day', greatest(max(ended_at) - interval '1 microsecond', max(started_at))
            ) + interval '1 day' FROM core.outage
        ),
        (SELECT until FROM demand),
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
    op.execute(f"CREATE VIEW analytics.demand_known AS {DEMAND_KNOWN}")
    _downtime_by_day(LAST_PERIOD)


def downgrade() -> None:
    _downtime_by_day(LAST_DATE)
    op.execute("DROP VIEW analytics.demand_known")


def _downtime_by_day(demand: str) -> None:
    op.execute("DROP MATERIALIZED VIEW analytics.downtime_by_day")
    op.execute(
        "CREATE MATERIALIZED VIEW analytics.downtime_by_day AS"
        f" {DOWNTIME_BY_DAY.format(demand=demand)}"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_downtime_by_day ON analytics.downtime_by_day"
        " (date, uf, contract_id)"
    )
