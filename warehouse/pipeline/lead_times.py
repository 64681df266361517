"""Lead times that were measured on purchase orders."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, text

from domain.lead_time_demand import LEAD_TIME_CHANCES
from warehouse.pipeline.derivation import Setup
from warehouse.queries.daily import CANCELLED

MEASURED_LINES = 5
MEASURED_DAYS = 730


def measure_lead_times(connection: Connection, setup: Setup) -> None:
    connection.execute(text("DROP TABLE IF EXISTS measured_lead_time"))
    connection.execute(
        text(
            """
            CREATE TEMPORARY TABLE measured_lead_time ON COMMIT DROP AS
            SELECT supplier_id, item_id, count(*) AS lines,
                avg(lead_time_days)::double precision AS mean,
                coalesce(stddev_samp(lead_time_days), 0)::double precision AS std,
                avg(received_on - promised_on)::double precision AS delay,
                percentile_cont(CAST(:chances AS double precision[]))
                    WITHIN GROUP (ORDER BY lead_time_days) AS days
            FROM core.purchase_order
            WHERE lead_time_days IS NOT NULL
                AND received_on BETWEEN :since AND :today
                AND lower(coalesce(status, '')) <> ALL(:cancelled)
            GROUP BY GROUPING SETS ((supplier_id), (item_id), ())
            """
        ),
        {
            "since": setup.today - timedelta(days=MEASURED_DAYS),
            "today": setup.today,
            "cancelled": list(CANCELLED),
            "chances": LEAD_TIME_CHANCES.tolist(),
        },
    )
