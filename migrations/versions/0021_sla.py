"""Downtime without overlaps, and what missing parts may cost under each contract."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

DOWNTIME_BY_DAY = """
WITH known AS (
    SELECT greatest(
        (SELECT max(coalesce(ended_at, started_at)) FROM core.outage),
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
"""A site that several contracts claim at once is down under each of them."""

ADDED_UP = """
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


def upgrade() -> None:
    _downtime_by_day(DOWNTIME_BY_DAY)
    _sla_exposure(
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("item_id", "site_id")),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("stockout_probability", "penalty_brl", "exposure_brl")
        ),
        keys=("item_id", "site_id"),
    )


def downgrade() -> None:
    names = "downtime_hours site_hours availability availability_projected penalty_brl exposure_brl"
    _sla_exposure(
        sa.Column("month", sa.Date, nullable=False),
        *(sa.Column(name, sa.Double) for name in names.split()),
        keys=("month",),
    )
    _downtime_by_day(ADDED_UP)


def _downtime_by_day(definition: str) -> None:
    op.execute("DROP MATERIALIZED VIEW analytics.downtime_by_day")
    op.execute(f"CREATE MATERIALIZED VIEW analytics.downtime_by_day AS {definition}")
    op.execute(
        "CREATE UNIQUE INDEX uq_downtime_by_day ON analytics.downtime_by_day"
        " (date, uf, contract_id)"
    )


def _sla_exposure(*columns: sa.Column, keys: tuple[str, ...]) -> None:
    """The table anew: a run's rows come back when it is derived again."""
    op.drop_table("sla_exposure", schema="analytics")
    op.create_table(
        "sla_exposure",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("contract_id", sa.Integer, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("run_id", "contract_id", *keys, name="pk_sla_exposure"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["analytics.run.run_id"], name="fk_sla_exposure_run_id", ondelete="CASCADE"
        ),
        schema="analytics",
    )
